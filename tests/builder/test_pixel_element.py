import struct

import pydicom
import pytest
from ct_series import CTSeries
from dicom_zoo import codecs
from pydicom import uid
from pydicom.encaps import encapsulate

from builder.header import read_header

SERIES = CTSeries(shape=(1, 8, 6))
STREAMS = {
    uid.JPEGLosslessSV1: lambda cells: codecs.lossless_jpeg(cells, 1),
    uid.JPEGLSLossless: codecs.jpeg_ls_stream,
    uid.JPEG2000Lossless: codecs.jpeg_2000,
}


def native(folder):
    return SERIES.write(folder)[0]


def compressed(folder, syntax, **header):
    path = native(folder)
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([STREAMS[syntax](SERIES.stored[0])])
    dataset["PixelData"].is_undefined_length = True
    for name, value in header.items():
        setattr(dataset, name, value)
    dataset.save_as(path)
    return path


def fault(path):
    found = read_header(path).fault
    return found and found.reason


@pytest.mark.parametrize("syntax", STREAMS)
def test_a_compressed_slice_is_known_by_its_streams_own_size(tmp_path, syntax):
    path = compressed(tmp_path, syntax)
    assert fault(path) is None
    assert read_header(path).slice.is_compressed
    path = compressed(tmp_path, syntax, Rows=9)
    assert fault(path) == "its header says 9 x 6 pixels, but its compressed stream is 8 x 6"
    path = compressed(tmp_path, syntax, Rows=65535, Columns=65535)  # nothing of that size is ever asked of the memory
    assert "65535 x 65535 pixels, but its compressed stream is 8 x 6" in fault(path)


@pytest.mark.parametrize("syntax", STREAMS)
@pytest.mark.parametrize("cut", [1, 8, 9, 30])
def test_a_compressed_slice_that_is_cut_is_refused(tmp_path, syntax, cut):
    path = compressed(tmp_path, syntax)
    path.write_bytes(path.read_bytes()[:-cut])
    assert "truncated" in fault(path)


def test_fragments_that_are_none_are_refused(tmp_path):
    path = compressed(tmp_path, uid.JPEGLSLossless)
    content = path.read_bytes()
    at = content.rindex(struct.pack("<HH", 0xFFFE, 0xE000))
    path.write_bytes(content[:at] + b"\1\2\3\4" + content[at + 4 :])
    assert fault(path) == "the fragments of its compressed stream are damaged"


@pytest.mark.parametrize(("cut", "there"), [(1, 95), (2, 94), (96, 0)])
def test_a_slice_that_is_cut_is_refused_by_the_byte(tmp_path, cut, there):
    path = native(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    assert fault(path) == f"truncated: {there} bytes after the header, 96 needed"


def test_more_pixels_than_the_header_says_are_refused(tmp_path):
    path = native(tmp_path)
    dataset = pydicom.dcmread(path)
    dataset.Rows = 7
    dataset.save_as(path)
    assert fault(path) == "its pixels are 96 bytes, but 7 x 6 of them take 84"


def test_a_deflated_slice_is_counted_once_it_is_inflated(tmp_path):
    path = native(tmp_path)
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    dataset.save_as(path)
    assert fault(path) is None
    dataset.PixelData = dataset.PixelData[:-2]
    dataset.save_as(path)
    assert fault(path) == "truncated: 94 bytes after the header, 96 needed"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"BitsStored": 12, "HighBit": 15}, "12 of 16 bits, the highest bit 15: not read here"),
        ({"BitsStored": 17, "HighBit": 16}, "17 of 16 bits"),
        ({"BitsStored": 0, "HighBit": -1}, "damaged|0 of 16 bits"),
        ({"PixelRepresentation": 2}, "16 of 16 bits"),
        ({"Rows": 0}, "it has 0 rows"),
    ],
)
def test_bits_that_gdcm_would_take_for_others_are_refused(tmp_path, values, reason):
    path = native(tmp_path)
    dataset = pydicom.dcmread(path)
    for name, value in values.items():
        setattr(dataset, name, value if value >= 0 else 65535)
    dataset.save_as(path)
    assert any(each in fault(path) for each in reason.split("|"))


def test_a_transfer_syntax_that_no_test_has_read_is_refused_by_name(tmp_path):
    path = native(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0"))
    assert "its transfer syntax 1.2.840.10008.1.2.9" in fault(path)
