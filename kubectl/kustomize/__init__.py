"""Kustomize: the objects of a folder with a kustomization, changed as it says (`apply -k`, `kubectl kustomize`).

    build.py        one folder after another: resources, components, generators, then the changes in upstream's order
    kustomization.py  the file: its fields, old names of fields, what is refused
    resource.py     an object and the names that it had
    generators.py   ConfigMaps and Secrets from literals and files
    patching.py     strategic merge and JSON patches, and which objects they are for
    transforms.py   namespace, names, labels, annotations, images, replicas
    fields.py       where labels, annotations and references stand in each kind
    references.py   names within objects follow the objects that were renamed
    replacing.py    replacements: a value of one object written into others

Everything but `build` and `kustomization` is pure. https://kubectl.docs.kubernetes.io/references/kustomize/
"""
