# powershell completion for kind
Register-ArgumentCompleter -Native -CommandName kind -ScriptBlock {
    param($last, $command)
    $words = @($command.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" })
    if ($last -eq '') { $words += '""' }
    kind __complete @words 2>$null | Where-Object { $_ -notmatch '^:' } | ForEach-Object {
        $word, $help = $_ -split "`t", 2
        if (-not $help) { $help = $word }
        [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $help)
    }
}
