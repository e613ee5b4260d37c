"""The one error that bad input raises, so that the command line can print it as one clear line."""


class DataError(ValueError):
    """Something is wrong with a file, a folder or a label: says which, what is allowed, what to do."""
