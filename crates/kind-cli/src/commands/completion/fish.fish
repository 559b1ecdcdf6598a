# fish completion for kind
function __kind_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    kind __complete $words[2..-1] "$last" 2>/dev/null | string match -v -r '^:'
end
complete -c kind -f -a '(__kind_complete)'
complete -c kind -F -n 'string match -q -r -- "^--(config|kubeconfig)\$" (commandline -opc)[-1]'
