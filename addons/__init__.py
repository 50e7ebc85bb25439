"""What runs in the cluster rather than under it: each folder is a program in a pod, a client of the API like any other."""
