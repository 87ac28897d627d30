"""The site: made by ``make docs``, which takes warnings for errors."""

from region_grower_flow import __version__

project = "region_grower_flow"
author = "The region_grower_flow developers"
copyright = f"2026, {author}"  # Sphinx's name
version = release = __version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"region_grower_flow {__version__}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
# A page that no table of contents names is found by the search.
suppress_warnings = ["toc.not_included"]
autodoc_member_order = "bysource"
autodoc_typehints = "description"
