"""Make m3dsynth releases: LIDC DICOM and annotations to sites, cubes, edits and files."""
