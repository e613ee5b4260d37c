"""The error that bad data raises, so that the command line can print it as one clear line."""


class DataError(ValueError):
    """Something is wrong with a file, a folder or a label. The message names it, what is allowed and what to do."""
