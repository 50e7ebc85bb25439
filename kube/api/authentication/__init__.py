"""authentication.k8s.io: questions about who somebody is. They are answered, never stored."""
