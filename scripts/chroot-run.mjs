// A program in another system's folder (debian-host.mjs), on this machine's kernel and loopback: in
// a private mount namespace with /proc, /dev and what it is to see, at the paths that these have
// here. Nothing stays mounted.

// $1 host folder, $2 folders to show there, one a line, $3 working directory, then the command.
const enter = `
set -e
host=$1 folders=$2 cwd=$3; shift 3
mkdir -p "$host/proc" "$host/dev"
mount --rbind /dev "$host/dev"
mount --bind /proc "$host/proc"
echo "$folders" | while read -r folder; do
  mkdir -p "$host$folder"
  mount --bind "$folder" "$host$folder"
done
for file in /etc/hosts /etc/resolv.conf; do
  [ -e "$file" ] || continue
  [ -e "$host$file" ] || : > "$host$file"
  mount --bind "$file" "$host$file"
done
exec chroot "$host" sh -c 'cd "$0" && exec "$@"' "$cwd" "$@"
`;

/**
 * @param {{ host: string, shown: string[], cwd: string }} where
 * @param {string[]} command
 * @returns {[string, ...string[]]} the command that runs it there
 */
export function insideHost({ host, shown, cwd }, command) {
  const inside = ['sh', '-c', enter, 'sh', host, shown.join('\n'), cwd, ...command];
  return ['unshare', '-m', '--propagation', 'private', ...inside];
}
