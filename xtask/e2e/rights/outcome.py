"""The three outcomes of a trial."""


def allowed(detail=""):
    return {"outcome": "allowed", "detail": detail}


def refused(detail):
    return {"outcome": "refused", "detail": detail}


def error(detail):
    return {"outcome": "error", "detail": detail}
