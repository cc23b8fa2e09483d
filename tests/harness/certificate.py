"""A certificate for 127.0.0.1 that is its own authority."""

import ssl

from .env import clean_env, run


def make_certificate(folder, name):
    """cert.pem and key.pem in folder, replaced at once; the certificate as DER."""
    run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.new", "-out", folder / "cert.new"], clean_env(folder),
    )
    (folder / "key.new").rename(folder / "key.pem")
    (folder / "cert.new").rename(folder / "cert.pem")
    return ssl.PEM_cert_to_DER_cert((folder / "cert.pem").read_text())
