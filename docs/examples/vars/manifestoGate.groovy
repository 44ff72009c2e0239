// A step of a shared library for Jenkins: installs manifesto, and refuses images that were not approved.
//
//     def approved = manifestoGate images: params.IMAGE
//
// returns repository@sha256:... of each image, separated by blanks. `policy` and `trust` are files in the workspace;
// `package` is the Debian package of manifesto, a file or an https URL, and `sha256` its SHA-256; without a package, the agent must have
// the program. The environment has MANIFESTO_TRUST_SERVER, and REGISTRY_USERNAME and REGISTRY_PASSWORD if the registry requires them.
def call(Map options) {
    withEnv(["IMAGES=${options.images}",
             "POLICY=${options.policy ?: 'release.json'}",
             "TRUST=${options.trust ?: 'trust.json'}",
             "PACKAGE=${options.package ?: ''}",
             "SHA256=${options.sha256 ?: ''}",
             "MANIFESTO_HOME=${env.WORKSPACE}/.manifesto"]) {
        try {
            // The workspace keeps .manifesto/floors, so that an older state is refused (status 8).
            sh '''
                if [ -n "$PACKAGE" ]; then
                    deb=$WORKSPACE/manifesto.deb
                    case $PACKAGE in
                    https://*) curl -fsSL -o "$deb" "$PACKAGE" ;;
                    *) cp "$PACKAGE" "$deb" ;;
                    esac
                    echo "$SHA256  $deb" | sha256sum -c --quiet
                    sudo apt-get install -y "$deb"
                fi
                install -d -m 700 "$MANIFESTO_HOME"
                cp "$TRUST" "$MANIFESTO_HOME/trust.json"
                manifesto verify --policy "$POLICY" --format junit $IMAGES > manifesto.xml
                manifesto verify --policy "$POLICY" $IMAGES > approved.txt
            '''
        } finally {
            junit testResults: 'manifesto.xml', allowEmptyResults: true
        }
        return readFile('approved.txt').trim().replace('\n', ' ')
    }
}
