"""OpenTelemetry records (spans, logs, metrics) → sightings of calls.

`protobuf` and `json` read the wire into the same values; `spans`, `logs` and `metrics` tell which
of them are calls; `intake` stores these.
"""
