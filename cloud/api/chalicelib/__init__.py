"""The API's parts, one file per resource; named so because Chalice packages a folder of this name beside app.py."""
