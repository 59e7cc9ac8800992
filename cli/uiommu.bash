# SPDX-License-Identifier: MIT
# Completion of uiommu(1) for bash.
_uiommu()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local commands='groups explain plan regions units dmar fault capture
		report demo'
	local options='--from --dmar --lspci --root --rules --options --build
		--set-type --claim --mask --json --color --output --help --version'

	case $prev in
	--from | --dmar | --lspci | -o | --output | dmar)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--root)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--rules)
		mapfile -t COMPREPLY < <(compgen -W 'strict linux' -- "$cur")
		return
		;;
	--build)
		mapfile -t COMPREPLY < <(
			compgen -W 'lazy strict passthrough' -- "$cur")
		return
		;;
	--color)
		mapfile -t COMPREPLY < <(
			compgen -W 'auto always never' -- "$cur")
		return
		;;
	--options)
		mapfile -t COMPREPLY < <(compgen -W 'iommu=pt iommu=nopt
			iommu=off iommu.passthrough=1 iommu.passthrough=0
			iommu.strict=1 iommu.strict=0 intel_iommu=on
			intel_iommu=off intel_iommu=igfx_off' -- "$cur")
		return
		;;
	explain | --claim | --mask | --set-type)
		mapfile -t COMPREPLY < <(
			compgen -W "$(cd /sys/bus/pci/devices 2>/dev/null &&
				echo *)" -- "$cur")
		# A colon is a word of its own to readline.
		declare -F __ltrim_colon_completions >/dev/null &&
			__ltrim_colon_completions "$cur"
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
	fi
}
complete -F _uiommu uiommu
