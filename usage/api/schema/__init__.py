"""What the interface looks like from outside: the parts of its OpenAPI document.

Bodies are described by `msgspec` structs, of which those of ingest are the very ones that
decode; all others only document. Nothing here is read when a request is answered.
"""
