"""admissionregistration.k8s.io: one module a kind."""
