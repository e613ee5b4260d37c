"""The web book: the lessons, the reference and the results as pages that need no network and no kernel."""
