"""A zoo of odd DICOM folders, each with a truth: the voxels that a reader must give, or why it must refuse.

From the folder tests, this builds a release of any number of them, and judges it:

    python -m dicom_zoo FOLDER --specimens 400 --seed 1 --workers 2
"""
