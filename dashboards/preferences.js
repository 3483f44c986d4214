// Keeps what a reader prefers in cookies of this server, and loads the page anew where it is to look otherwise.

export default function ({ data }) {
  const kept = (name) => document.cookie.split("; ").find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1);
  for (const [name, value] of Object.entries(data.cookies)) {
    if (kept(name) !== value) document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`;
  }
  if (data.reload) location.reload();
}
