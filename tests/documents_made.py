"""Makes small PDF and Word files, whole ones and hostile ones, for tests."""

import io
import zipfile
from pathlib import Path

import docx
from pypdf import PdfReader, PdfWriter

_FONT = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


def make_pdf(path: Path, pages: list[str], password: str = "") -> None:
    """A PDF with a line of text on each page."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", _FONT]
    kids = []
    for text in pages:
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
        kids.append(f"{len(objects) + 1} 0 R")
        objects += [
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {len(objects) + 2} 0 R >>",
            f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        ]
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    body, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    body += (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
        f"startxref\n{len(body)}\n%%EOF\n"
    ).encode()
    if password:
        writer = PdfWriter(PdfReader(io.BytesIO(body)))
        writer.encrypt(password, algorithm="AES-256")
        writer.write(path)
    else:
        path.write_bytes(body)


def make_docx(path: Path, paragraphs: list[str]) -> None:
    """A Word file with a paragraph each, and a table of one row."""
    document = docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    row = document.add_table(1, 2).rows[0].cells
    row[0].text, row[1].text = "left cell", "right cell"
    document.save(str(path))


def make_docx_bomb(path: Path, megabytes: int) -> None:
    """A Word file of some KB whose text would unpack to many MB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("word/document.xml", "w", force_zip64=True) as entry:
            for _ in range(megabytes):
                entry.write(b" " * 1_000_000)
        archive.writestr("[Content_Types].xml", "<Types/>")
