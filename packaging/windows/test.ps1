# Runs the tests, setting the station up first where that was not done yet.
$ErrorActionPreference = "Stop"
& (Join-Path $PSScriptRoot "install.ps1")
Set-Location (Join-Path $PSScriptRoot "../..")
$env:QT_QPA_PLATFORM = "offscreen"
& ".venv/Scripts/python.exe" -m pytest -n logical --maxprocesses 8 --dist loadfile @args
exit $LASTEXITCODE
