"""The lessons' checks, one module a lesson: `lesson01` holds the checks of the exercises `01/...`."""
