# Finds a Python the station runs on, makes .venv and installs the locked set, when .venv is missing or older
# than the lock; run.ps1 and test.ps1 call it first.
$ErrorActionPreference = "Stop"
Set-Location (Join-Path $PSScriptRoot "../..")

$stamp = ".venv/.installed"
$inputs = "requirements.lock", "packaging/uv.lock", "pyproject.toml", "packaging/windows/install.ps1"
if (Test-Path $stamp) {
    $installed = (Get-Item $stamp).LastWriteTimeUtc
    if (-not ($inputs | Where-Object { (Get-Item $_).LastWriteTimeUtc -gt $installed })) { return }
}

function Test-Fits([string[]] $Command) {
    if (-not (Get-Command $Command[0] -ErrorAction SilentlyContinue)) { return $false }
    $rest = @($Command | Select-Object -Skip 1)
    & $Command[0] @rest -c "import sys; raise SystemExit(not (3, 13) <= sys.version_info[:2] < (3, 15))" 2>$null
    return $LASTEXITCODE -eq 0
}

function Invoke-Checked([string] $Program, [string[]] $Arguments) {
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { Write-Error "$Program $Arguments ended with exit code $LASTEXITCODE." }
}

$wanted = (Get-Content .python-version -Raw).Trim()
$python = @(@("py", "-$wanted"), @("py", "-3.14"), @("python", $null), @("python3", $null)) |
    ForEach-Object { , @($_ | Where-Object { $_ }) } | Where-Object { Test-Fits $_ } | Select-Object -First 1
if (-not $python) {
    Write-Error "NextTick needs Python 3.13 or 3.14 and found none: install it from the Python website or the Microsoft Store and run this again."
}

if (-not ((Test-Path ".venv/Scripts/python.exe") -and (Test-Fits @(".venv/Scripts/python.exe")))) {
    Write-Host "Making .venv."
    if (Test-Path .venv) { Remove-Item -Recurse -Force .venv }
    $python = @($python)
    Invoke-Checked $python[0] (@($python | Select-Object -Skip 1) + @("-m", "venv", ".venv"))
}
Write-Host "Installing the locked set; this is a large download the first time."
Invoke-Checked ".venv/Scripts/python.exe" @("-m", "pip", "install", "--quiet", "--require-hashes", "-r", "packaging/uv.lock")
Invoke-Checked ".venv/Scripts/uv.exe" @("pip", "install", "--quiet", "--python", ".venv/Scripts/python.exe", "--compile-bytecode", "--require-hashes", "-r", "requirements.lock")
Invoke-Checked ".venv/Scripts/uv.exe" @("pip", "install", "--quiet", "--python", ".venv/Scripts/python.exe", "--no-deps", "--no-build-isolation", "-e", ".")
New-Item -ItemType File -Force $stamp | Out-Null
(Get-Item $stamp).LastWriteTimeUtc = [DateTime]::UtcNow
