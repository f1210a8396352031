"""The REST API: HTTP in, HTTP out. What a request may do and means is decided in cloud.pbx."""
