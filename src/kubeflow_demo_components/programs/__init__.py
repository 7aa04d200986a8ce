"""The programs that run inside the image, one module and one console script each."""
