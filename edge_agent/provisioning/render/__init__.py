"""From the site's configuration to the files that its phones ask for."""

from edge_agent.provisioning.render.library import Library, RenderedFile
from edge_agent.provisioning.render.renderer import Renderer

__all__ = ["Library", "RenderedFile", "Renderer"]
