"""How much a submission may ask of whoever scores it. What is over a limit is refused before it is unpacked."""

MAX_METADATA_BYTES = 1 << 20
MAX_FILE_BYTES = (1 << 32) - 1
"""Of ``predictions.parquet``, and of an archive; 4 GiB is where zip would need its 64-bit form."""
MAX_ARCHIVE_MEMBERS = 64
MAX_FOOTER_BYTES = 8 << 20
MAX_FOOTER_VALUES = 1_000_000
"""Numbers, strings and structs together: a byte of a footer can stand for an object a hundred times its size."""
MAX_ROWS = 100_000
"""A release of all of LIDC-IDRI has about 10,000 samples."""
MAX_ROW_GROUPS = 4096
MAX_PAGES = 50_000
MAX_PAGE_BYTES = 1 << 27
"""Of one page, unpacked: it is held in memory whole."""
MAX_TABLE_BYTES = 1 << 33
"""Of all pages, and of all rows, unpacked."""
MAX_ID_BYTES = 1000
"""Of a sample's id; what is longer is cut there, and is no sample's."""
MAX_VOXELS = 1 << 28
"""Of one map: 1,024 slices of 512 x 512."""
