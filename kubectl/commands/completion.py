"""kubectl completion: a script that completes kubectl's words in a shell, by asking `kubectl __complete`.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_completion/
"""

import typer

from kubectl.flags import UsageError
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

BASH = """# bash completion for kubectl
__start_kubectl() {
    local answer directive current="${COMP_LINE:0:COMP_POINT}"
    local -a words lines
    read -r -a words <<< "$current"
    case "$current" in *[[:space:]]) words+=("") ;; esac
    answer=$("${words[0]}" __complete "${words[@]:1}" 2>/dev/null) || return
    mapfile -t lines <<< "$answer"
    directive="${lines[-1]}"
    unset 'lines[-1]'
    lines=("${lines[@]%%$'\\t'*}")
    local last="${words[-1]}" at="${COMP_WORDS[COMP_CWORD]}"
    COMPREPLY=("${lines[@]#"${last%"$at"}"}")
    if [[ $directive == :0 && ${#COMPREPLY[@]} -eq 0 ]]; then mapfile -t COMPREPLY < <(compgen -f -- "$at"); fi
}
complete -o nosort -F __start_kubectl kubectl
"""
ZSH = """#compdef kubectl
compdef _kubectl kubectl
# zsh completion for kubectl
_kubectl() {
    local answer directive line
    local -a lines candidates
    answer=$(${words[1]} __complete ${(@)words[2,CURRENT]} 2>/dev/null) || return
    lines=("${(@f)answer}")
    directive=${lines[-1]}
    lines[-1]=()
    for line in $lines; do
        line=${line//:/\\\\:}
        candidates+=("${line/$'\\t'/:}")
    done
    if [[ $directive == :0 && ${#candidates} -eq 0 ]]; then _files; else _describe 'kubectl' candidates; fi
}
if [ "$funcstack[1]" = "_kubectl" ]; then _kubectl; fi
"""
FISH = """# fish completion for kubectl
function __kubectl_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    $words[1] __complete $words[2..-1] $last 2>/dev/null | string match -rv '^:\\d+$'
end
complete -c kubectl -f -a '(__kubectl_complete)'
"""
POWERSHELL = """# powershell completion for kubectl
Register-ArgumentCompleter -Native -CommandName 'kubectl' -ScriptBlock {
    param($WordToComplete, $CommandAst, $CursorPosition)
    $words = @($CommandAst.CommandElements | ForEach-Object { "$_" } | Select-Object -Skip 1)
    if ($WordToComplete -eq '') { $words += '""' }
    kubectl __complete @words 2>$null | Where-Object { $_ -notmatch '^:\\d+$' } | ForEach-Object {
        $word, $what = $_ -split "`t", 2
        [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $(if ($what) { $what } else { $word }))
    }
}
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH, "powershell": POWERSHELL}


@app.command(epilog="kubectl completion SHELL")
def completion(context: typer.Context) -> None:
    """Output shell completion code for the specified shell (bash, zsh, fish, or powershell).

    The shell code must be evaluated to provide interactive completion of kubectl commands.  This can be done by sourcing it
    from the .bash_profile.

    Examples:
      # Load the kubectl completion code for bash into the current shell
      source <(kubectl completion bash)
    """
    session: Session = context.obj
    if not session.args:
        raise UsageError("Shell not specified.")
    if len(session.args) > 1:
        raise UsageError("Too many arguments. Expected only the shell type.")
    script = SCRIPTS.get(session.args[0])
    if script is None:
        raise UsageError(f'Unsupported shell type "{session.args[0]}".')
    session.say(script.removesuffix("\n"))
