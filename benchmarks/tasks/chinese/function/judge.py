from judging import probe

probe("""
from id_check import mask_phone
for phone, wanted in (("13812345678", "138****5678"), ("19900001111", "199****1111")):
    assert mask_phone(phone) == wanted, (phone, mask_phone(phone))
for phone in ("", "1381234567", "138123456789", "1381234567x", "138 1234567"):
    try:
        mask_phone(phone)
    except ValueError:
        continue
    raise AssertionError(f"no ValueError for {phone!r}")
""")
