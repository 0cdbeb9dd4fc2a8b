"""Judge detectors of tampered CT, and measure this project's own speed and size."""
