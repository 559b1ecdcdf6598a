# powershell completion for kind
Register-ArgumentCompleter -Native -CommandName kind -ScriptBlock {
    param($last, $command, $cursor)
    # What stands behind the cursor is not there yet.
    $words = @($command.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursor } |
        Select-Object -Skip 1 | ForEach-Object { "$_" })
    if ($last -eq '') { $words += '""' }
    $lines = @(kind __complete @words 2>$null)
    $found = @($lines | Where-Object { $_ -notmatch '^:' } | ForEach-Object {
        $word, $help = $_ -split "`t", 2
        if (-not $help) { $help = $word }
        [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $help)
    })
    # Without an answer powershell would name files.
    if ($found.Count -eq 0 -and $lines -contains ':4') { '' } else { $found }
}
