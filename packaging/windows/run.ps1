# Opens the station, setting it up first where that was not done yet.
$ErrorActionPreference = "Stop"
& (Join-Path $PSScriptRoot "install.ps1")
Set-Location (Join-Path $PSScriptRoot "../..")
& ".venv/Scripts/nexttick.exe" @args
exit $LASTEXITCODE
