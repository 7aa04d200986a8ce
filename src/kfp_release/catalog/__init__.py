"""The catalog: a static site of what is released. It is gathered, then rendered, then written where it is to be."""
