"""What `kubectl create KIND` makes from flags: one module a family of kinds; `commands/create.py` lists them."""
