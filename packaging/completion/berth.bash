# bash completion for berth. Options come from the program, so that they are those of the installed version.
_berth() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
	local commands='serve check gc savings lifecycle re-encrypt console new-key config help version'
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ] || [ "$command" = help ]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$cur")
		return
	fi
	case $prev in
	--data)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--config | --tls-cert | --tls-key | --root-key | --credentials | --pkcs11-module | --pkcs11-pin-file | --kms-secret-file | --kms-ca)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--mount-policy) mapfile -t COMPREPLY < <(compgen -W 'oci ecr' -- "$cur"); return ;;
	--encryption) mapfile -t COMPREPLY < <(compgen -W 'berth disk' -- "$cur"); return ;;
	--sandbox) mapfile -t COMPREPLY < <(compgen -W 'auto require off' -- "$cur"); return ;;
	--throttle) mapfile -t COMPREPLY < <(compgen -W 'off ecr' -- "$cur"); return ;;
	--log-level) mapfile -t COMPREPLY < <(compgen -W 'debug info warn error' -- "$cur"); return ;;
	--format) mapfile -t COMPREPLY < <(compgen -W 'text ini mdoc markdown' -- "$cur"); return ;;
	--list) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur"); return ;;
	--access-log | --audit-data-plane) mapfile -t COMPREPLY < <(compgen -W 'on off' -- "$cur"); return ;;
	--default-setting)
		mapfile -t COMPREPLY < <(compgen -W 'BLOB_MOUNTING=ENABLED BLOB_MOUNTING=DISABLED' -- "$cur")
		return
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" config --list "$command" 2>/dev/null) --help" -- "$cur")
}
complete -F _berth berth
