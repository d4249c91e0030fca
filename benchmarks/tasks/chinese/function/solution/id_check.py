def mask_phone(phone):
    if len(phone) != 11 or not phone.isdigit():
        raise ValueError("需要 11 位数字")
    return phone[:3] + "****" + phone[7:]
