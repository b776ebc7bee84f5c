"""The one thing pyproject.toml cannot say: how the native engine is compiled.

EVENER_SANITIZE=1 builds it with AddressSanitizer and UBSan for the hostile-input runs.
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

FLAGS = ["-O2", "-fno-strict-aliasing", "-Wall", "-Wno-unused-function"]
LINK: list[str] = []
if os.environ.get("EVENER_SANITIZE"):
    FLAGS = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-omit-frame-pointer"]
    LINK = ["-fsanitize=address,undefined"]

ENGINE = Path("src/evener/engine")
EXTENSIONS = [
    Extension(
        "evener.engine." + source.stem,
        [str(source)],
        extra_compile_args=FLAGS,
        extra_link_args=LINK,
    )
    for source in sorted(ENGINE.glob("*.pyx"))
]

setup(
    ext_modules=cythonize(
        EXTENSIONS,
        include_path=["src"],
        compiler_directives={
            "language_level": 3,
            "boundscheck": True,
            "wraparound": False,
            "initializedcheck": True,
            "nonecheck": True,
            "cdivision": True,
        },
    )
)
