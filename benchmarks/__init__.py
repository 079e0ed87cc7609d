"""How fast the workbench is, each as a ratio against a bare loop or a peer in the same run: ``python -m benchmarks``.

One file a question; no test asserts a time.
"""
