def clamp(x, low, high):
    """x, but not below low and not above high; ValueError when low is above high."""
    if low > high:
        raise ValueError("low is above high")
    return min(max(x, low), high)
