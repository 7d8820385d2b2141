"""Documents with one thing changed."""

import copy

# In place of a value: without it.
REMOVED = object()


def changed(document: dict, path: tuple, value: object) -> dict:
    """The document with another value in one place, or without it."""
    document = copy.deepcopy(document)
    around = document
    for key in path[:-1]:
        around = around[key]
    if value is REMOVED:
        del around[path[-1]]
    else:
        around[path[-1]] = value
    return document
