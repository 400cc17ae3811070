// Opens a page as a browser would, from an origin of its own, and prints what
// the page says by alert(). Arguments: the page's file, and the jQuery that
// stands for the one which the page asks the vendor's network for.
const fs = require('fs');
const { JSDOM, ResourceLoader, VirtualConsole } = require('jsdom');

const [file, jquery] = process.argv.slice(2);

class Local extends ResourceLoader {
  fetch(url) {
    return url.endsWith('/jquery.min.js') ? Promise.resolve(fs.readFileSync(jquery)) : Promise.reject(new Error(url));
  }
}

new JSDOM(fs.readFileSync(file, 'utf8'), {
  url: 'https://pages.example.test/',
  runScripts: 'dangerously',
  resources: new Local(),
  virtualConsole: new VirtualConsole().sendTo(console, { omitJSDOMErrors: false }),
  beforeParse(window) {
    window.alert = (text) => {
      console.log(text);
      window.close();
    };
  },
});
