#!/bin/bash
# The page of `report` in Chromium: what a browser makes of it is what --json says, at any width; its policy holds. Pictures of
# it, for people, are in build/report.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/report.sh"

pictures=${T_MANIFESTO%/*}/report
mkdir -p "$pictures"
browse() { # [options] FILE
	timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --no-first-run \
		--user-data-dir="$T/chromium" "${@:1:$#-1}" "file://$T/${*: -1}" 2>"$T/stderr"
}
# A page in a frame of that width, which tells how wide its content is.
frame() { # PAGE WIDTH HEIGHT
	"$(t_python)" - "$@" <<-'EOF'
		import html, sys
		page = open(sys.argv[1], encoding="utf-8").read()
		print('<!doctype html><meta charset="utf-8"><style>body{margin:0}iframe{border:0;display:block}</style>'
		      '<iframe id="f" width="%s" height="%s" srcdoc="%s"></iframe><script>f.onload=()=>{const d=f.contentDocument.documentElement;'
		      'document.title=[d.clientWidth,d.scrollWidth,d.querySelectorAll("tr").length].join(" ")}</script>'
		      % (sys.argv[2], sys.argv[3], html.escape(page)))
	EOF
}
title() { # FILE
	sed -n 's/.*<title>\([^<]*\)<\/title>.*/\1/p' "$1" | head -n 1
}

make_report_repository app
make_page 'the page' 0 page.html --policy policy.json oci:app

browse --dump-dom page.html >dom.html
check 'a browser reads it' test -s dom.html
check 'what it makes of it is well formed, and can load and run nothing' read_page dom.html dom.json
jq -S . page.html.stdout >want
jq -S .data dom.json >got
check 'the data in the document are those of --json' diff want got
for what in tables titles text; do
	jq -S ".$what" page.html.json >want
	jq -S ".$what" dom.json >got
	check "$what of the document are those of the page" diff want got
done
check_json 'an image is accepted, and four are refused' '[.tables[0][1:][] | .[1] | .[:10]] | (map(select(. == "✓ accepted")) | length) == 1 and (map(select(startswith("✕ refused"))) | length) == 4' dom.json
jq -r '.data.verified[] | "\(.image | split("@")[1] | .[:19]) \(.accepted)"' dom.json | sort >want
jq -r '.tables[0][1:][] | "\(.[0] | capture("(?<d>sha256:[0-9a-f]{12})").d) \(.[1] | startswith("✓ accepted"))"' dom.json | sort >got
check 'each row says what the data say of its image' diff want got

# --- the policy holds, whatever got into the page
evil='<script>document.title="ran"</script><img src="x" onerror="document.title=\x27ran\x27">'
sed "s|<main>|<main>$evil|" page.html >evil.html
browse --dump-dom evil.html >dom
check 'a script in it would not run' test "$(title dom)" = 'Image records of oci:app'
sed 's|<meta http-equiv="Content-Security-Policy"[^>]*>||' evil.html >open.html
browse --dump-dom open.html >dom
check 'without its policy, it would' test "$(title dom)" = ran

# --- widths
for width in 390 768 1280; do
	frame page.html $width 3000 >frame.html
	browse --dump-dom frame.html >dom
	read -r client scroll rows <<<"$(title dom)"
	check "$width pixels: the frame has that width" test "${client:-0}" -gt $((width - 20))
	check "$width pixels: the page has no horizontal scrolling" test "${scroll:-9999}" -le "${client:-0}"
	check "$width pixels: all rows are there" test "${rows:-0}" -gt 10
done

# --- pictures, and paper
for scheme in light:1 dark:0; do
	browse --blink-settings=preferredColorScheme=${scheme#*:} --window-size=1280,2400 --screenshot="$pictures/1280-${scheme%:*}.png" page.html
	frame page.html 390 3000 >frame.html
	browse --blink-settings=preferredColorScheme=${scheme#*:} --window-size=500,3000 --screenshot="$pictures/390-${scheme%:*}.png" frame.html
	check "${scheme%:*}: pictures" test -s "$pictures/1280-${scheme%:*}.png" -a -s "$pictures/390-${scheme%:*}.png"
done
check 'the two schemes differ' sh -c "! cmp -s '$pictures/1280-light.png' '$pictures/1280-dark.png'"
browse --no-pdf-header-footer --print-to-pdf="$pictures/page.pdf" page.html
check 'it can be printed' grep -qa '^%PDF-' "$pictures/page.pdf"

# --- a thousand images
"$(t_python)" - app >subjects <<-'EOF'
	import hashlib, json, pathlib, sys
	layout = pathlib.Path(sys.argv[1])
	index = json.loads((layout / "index.json").read_text())
	first = index["manifests"][0]
	manifest = json.loads((layout / "blobs/sha256" / first["digest"][7:]).read_text())
	for i in range(1000):
	    text = json.dumps({**manifest, "annotations": {"n": str(i)}}).encode()
	    name = hashlib.sha256(text).hexdigest()
	    (layout / "blobs/sha256" / name).write_bytes(text)
	    index["manifests"].append({**first, "digest": "sha256:" + name, "size": len(text),
	                               "annotations": {"org.opencontainers.image.ref.name": "9.%d" % i}})
	    print("sha256:" + name)
	(layout / "index.json").write_text(json.dumps(index))
EOF
manifesto key passwd --no-passphrase -q alice >/dev/null 2>&1
t_command='fill'
"${T_MANIFESTO%/*}/tests/bench/fill" oci:app:1.0 1000 "$MANIFESTO_HOME" "$XDG_CACHE_HOME" '' n1 subjects >"$T/stdout" 2>"$T/stderr"
check 'a thousand records' test $? = 0
run manifesto report -q --policy policy.json --require bench -o many.html oci:app
check_status 'a page about a thousand images' 0
check 'is smaller than 5 MB' test "$(stat -c %s many.html)" -lt 5000000
browse --dump-dom many.html >dom.html
check 'and a browser shows it' read_page dom.html dom.json
check_json 'with a row for each' '(.tables[0] | length) == 1006 and ([.tables[0][1:][] | .[] | select(startswith("✓ signedby alice in targets"))] | length) >= 1000' dom.json

t_done
