"""What cloud and edge agree on. Imports neither, and nothing but the standard library and pydantic."""
