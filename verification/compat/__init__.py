"""Whether a server answers as clients of the older task API expect: asked from outside, over plain HTTP."""
