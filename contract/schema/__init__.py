"""The JSON Schema of what is promised, checked in beside this file; `python -m contract.schema` writes it anew."""
