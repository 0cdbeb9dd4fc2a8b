"""Learn to fake: inpainters that fill the inner part of a cube of lung, their training and their use.

Nothing is imported here: the builder's workers read this package's store of cubes, and need no torch for it.
"""
