"""Versions of what Python has here, and where NVIDIA's libraries of its packages lie. Prints JSON; needs no package."""

import glob
import importlib.metadata
import json
import platform
import site
import sys
import sysconfig

PACKAGES = ["torch", "transformers", "triton", "nvidia-cublas", "nvidia-cuda-nvrtc", "nvidia-cudnn-cu13", "numpy"]


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def library_folders():
    """`nvidia/*/lib` of all places that packages are installed to, newest CUDA first."""
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), site.getusersitepackages()}
    places.update(path for path in sys.path if path.endswith(("site-packages", "dist-packages")))
    return sorted((folder for place in places for folder in glob.glob(f"{place}/nvidia/*/lib")), reverse=True)


def main():
    versions = {"Python": platform.python_version()}
    versions.update({name: found for name in PACKAGES if (found := version(name)) is not None})
    print(json.dumps({"versions": versions, "libraryFolders": library_folders()}))


main()
