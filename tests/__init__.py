"""The tests, by what they need: unit, component, node, e2e, lab, interop; bench measures."""
