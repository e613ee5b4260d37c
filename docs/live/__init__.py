"""The page in which the lessons' trained model runs: `python -m docs.live` makes its files, in build/live.

- model.py: one ONNX file for every output stride, multi-grid and choice of ASPP's branches
- files.py: that file, made scenes and onnxruntime-web, put together once and copied into the book
- live.html, live.js, worker.mjs, live.css: the page
"""
