"""The whole API surface held against upstream's own documents (a folder with its discovery, OpenAPI and sample objects)."""
