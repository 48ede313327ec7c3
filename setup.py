"""The one thing that setup.cfg cannot say: an optional extension, left out where there is no C compiler."""

from setuptools import Extension, setup

setup(ext_modules=[Extension("pycaserver.sources._ring", ["pycaserver/sources/_ring.c"], optional=True)])
