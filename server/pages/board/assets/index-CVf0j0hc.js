var e,t,n,r,i,a,o,s,c,l,u=Symbol.for(`pv`),d={},f=[],p=/^m(i|n|o|s|text|space)$/,m=Array.isArray,h=f.slice,g=Object.assign;function _(e){e&&e.parentNode&&e.remove()}function v(e,t,n){var r,i,a,o={},s=arguments.length;for(a in t)a==`key`?r=t[a]:a==`ref`&&typeof e!=`function`?i=t[a]:o[a]=t[a];return s>2&&(o.children=s>3?h.call(arguments,2):n),y(e,o,r,i,null)}function y(n,r,i,a,o){var s={type:n,props:r,key:i,ref:a,__k:null,__:null,__b:0,__e:null,__c:null,constructor:u,__v:o||++t,__i:-1,__u:0};return!o&&e.vnode&&e.vnode(s),s}function b(e){return e.children}function x(e,t){this.props=e,this.context=t,this.__g=0}function S(e,t){if(t==null)return e.__&&S(e.__,e.__i+1);for(var n;t<e.__k.length;t++)if((n=e.__k[t])&&n.__e)return n.__e;return typeof e.type!=`function`||e.props.__P?null:S(e)}function C(t){var n,r=t.__v,i=r.__e,a=[],o=[],s=t.__P;s&&((n=g({constructor:u},r)).__v=r.__v+1,e.vnode&&e.vnode(n),j(s,n,r,t.__n,s.namespaceURI,32&r.__u?[i]:null,a,i||S(r),32&r.__u,o),n.__v=r.__v,n.__.__k[n.__i]=n,ae(a,n,o),r.__=r.__e=null,n.__e!=i&&w(n))}function w(e){if((e=e.__)&&e.__c&&!e.props.__P)return e.__e=null,e.__k.some(function(t){return t&&(e.__e=t.__e)}),w(e)}function T(t){(8&t.__g||(t.__g|=8,n.push(t),i++))&&r==e.debounceRendering||((r=e.debounceRendering)||queueMicrotask)(E)}function E(){try{for(var e,t=1;n.length;)n.length>t&&n.sort(a),e=n.shift(),t=n.length,8&e.__g&&C(e)}finally{(i=n.length)&&(r||queueMicrotask)(E)}}function ee(e,t,n,r,i,a,o,s,c,l,u){var p,m,h,g,_,v,y=r.__k||f,b=t.length;for(c=D(n,t,y,c,b),p=0;p<b;p++)(h=n.__k[p])!=null&&(m=~h.__i&&y[h.__i]||d,h.__i=p,v=j(e,h,m,i,a,o,s,c,l,u),g=h.__e,(m.ref!=h.ref||8&m.__u)&&(m.ref&&M(m.ref,null,h,m),h.ref&&u.push(h.ref,h.__c||g,h)),_||=g,4&h.__u?(c=O(h,c,e,!m.__v),m.__e&&(m.__e=null)):typeof h.type==`function`&&v!==void 0?c=v:g&&(c=g.nextSibling),h.__u&=-21);return n.__e=_,c}function D(e,t,n,r,i){var a,o,s,c,l,d,f,p,h,g=n.length,_=g,v=0,x=0,C=e.__k=Array(i);for(a=0;a<i;a++)(o=t[a])!=null&&typeof o!=`boolean`&&typeof o!=`function`?(typeof o!=`object`||o.constructor===String?o=C[a]=y(null,o):m(o)?o=C[a]=y(b,{children:o}):o.constructor===u&&o.__b?o=C[a]=y(o.type,o.props,o.key,o.ref,o.__v):C[a]=o,c=a+v,o.__=e,o.__b=e.__b+1,s=null,~(l=o.__i=k(o,n,c,_))&&(_--,(s=n[l])&&(s.__u|=2)),s&&s.__v?(o.__u|=16,l==c-1?v--:l==c+1?v++:l!=c&&(l>c?v--:v++,x=1)):(~l||(i>g?v--:i<g&&v++),typeof o.type!=`function`&&(o.__u|=4))):C[a]=null;if(x){for(d=[],f=[],a=0;a<i;a++)if((o=C[a])&&16&o.__u){for(v=0,p=d.length;v<p;)d[h=v+p>>1]<o.__i?v=h+1:p=h;d[v]=o.__i,f[a]=v+1}for(v=d.length;a--;)f[a]&&(f[a]==v?v--:C[a].__u|=4)}if(_)for(a=0;a<g;a++)!(s=n[a])||2&s.__u||(s.__e==r&&(r=S(s)),se(s,s));return r}function O(e,t,n,r){var i,a,o,s;if(typeof e.type==`function`){if(e.props.__P)return t;if(i=e.__k)for(a=0;a<i.length;a++)i[a]&&(i[a].__=e,t=O(i[a],t,n,!1));return t}for(t&&!t.parentNode&&(t=S(e))&&!t.parentNode&&(t=null),o=e.__e,s=t;s&&s.nodeType==8;)s=s.nextSibling;for(o!=s&&(!r&&n.moveBefore&&o.parentNode?n.moveBefore(o,t):n.insertBefore(o,t||null)),t=o;(t&&=t.nextSibling)&&t.nodeType==8&&!t.data.startsWith(`$s`););return t}function k(e,t,n,r){var i,a=e.key,o=e.type,s=t[n],c=s&&!(2&s.__u);if(s===null&&a==null||c&&a==s.key&&o==s.type)return n;if(r>+!!c){for(i=n-1;i>=0;i--)if((s=t[i])&&!(2&s.__u)&&a==s.key&&o==s.type)return i;for(i=n+1;i<t.length;i++)if((s=t[i])&&!(2&s.__u)&&a==s.key&&o==s.type)return i}return-1}function te(e,t,n){n??=``,t[0]==`-`?e.setProperty(t,n):e[t]=n}function A(e,t,n,r,i){var a,o;if(t==`style`){if(typeof n==`string`)e.style.cssText=n;else{if(typeof r==`string`&&(e.style.cssText=r=``),r)for(t in r)n&&t in n||te(e.style,t);if(n)for(t in n)r&&n[t]==r[t]||te(e.style,t,n[t])}}else if(t[0]==`o`&&t[1]==`n`)typeof n!=`function`&&(n=null),typeof r!=`function`&&(r=null),(e.__e||={})[t]=n,n&&r||(o=l[t]||(l[t]=ne(t)),(e.__a||={})[t]=c,a=t!=(t=t.replace(s,`$1`)),(t=t.slice(2))[0]<`a`&&(t=t.toLowerCase()),n?e.addEventListener(t,o,a):e.removeEventListener(t,o,a));else{if(i==`http://www.w3.org/2000/svg`)t=t.replace(/xlink(H|:h)/,`h`).replace(/sName$/,`s`);else if(t!=`width`&&t!=`height`&&t!=`href`&&t!=`list`&&t!=`form`&&t!=`tabIndex`&&t!=`download`&&t!=`rowSpan`&&t!=`colSpan`&&t!=`role`&&t!=`popover`&&t in e)try{e[t]=n??``;return}catch{}if(typeof n==`function`)return;n==null||!1===n&&t[4]!=`-`?e.removeAttribute(t):e.setAttribute(t,t==`popover`&&n==1?``:n)}}function ne(t){return function(n){var r=this.__e;if(r){if(r=r[t],n[o]==null)n[o]=c++;else if(n[o]<this.__a[t])return;return r(e.event?e.event(n):n)}}}function j(t,n,r,i,a,o,s,c,l,d){var p,h,v,y,C,w,T,E,D,O,k,te,A,ne,j,ae,M,N,P=n.type;if(n.constructor!==u)return null;128&r.__u&&(l=32&r.__u,p=r.__c.__z)&&(n.__u|=l,h=o=[],p.nodeType==8?c=re(p,o):o.push(p),c=o[0]||c),(p=e.__b)&&p(n);n:if(typeof P==`function`){v=s.length;try{if(E=n.props,D=(p=P.prototype)&&p.render,O=(p=P.contextType)&&i[p.__c],k=p?O?O.props.value:p.__:i,(y=r.__c)?(n.__c=y,2&y.__g&&(y.__g|=1)):(D?n.__c=y=new P(E,k):(n.__c=y=new x(E,k),y.constructor=P,y.render=ce),O&&O.sub(y),y.state||(y.state={}),y.__n=i,y.__g|=8,y.__h=[],y.__k=[]),D&&(y.__s||(y.__s=y.state),P.getDerivedStateFromProps&&(y.__s==y.state&&(y.__s=g({},y.__s)),g(y.__s,P.getDerivedStateFromProps(E,y.__s)))),C=y.props,w=y.state,y.__v=n,r.__c){if(E!==C&&D&&!P.getDerivedStateFromProps&&y.componentWillReceiveProps&&y.componentWillReceiveProps(E,k),n.__v==r.__v&&!(8&y.__g)||!(4&y.__g)&&y.shouldComponentUpdate&&!1===y.shouldComponentUpdate(E,y.__s,k)){n.__v!=r.__v&&(y.props=E,y.state=y.__s,y.__g&=-9),n.__e=r.__e,n.__k=r.__k,n.__k.some(function(e){e&&(e.__=n)}),f.push.apply(y.__h,y.__k),y.__k=[],y.__h.length&&s.push(y),c=S(r);break n}y.componentWillUpdate&&y.componentWillUpdate(E,y.__s,k),D&&y.componentDidUpdate&&y.__h.push(function(){y.componentDidUpdate(C,w,T)})}else D&&!P.getDerivedStateFromProps&&y.componentWillMount&&y.componentWillMount(),D&&y.componentDidMount&&y.__h.push(y.componentDidMount);y.context=k,y.props=E,y.__P=t,y.__g&=-5,te=e.__r,A=D?25:0;do y.__g&=-9,te&&te(n),p=y.render(y.props,y.state=y.__s,y.context);while(8&y.__g&&++A<25);D&&(f.push.apply(y.__h,y.__k),y.__k=[]),y.state=y.__s,y.getChildContext&&(i=g({},i,y.getChildContext())),D&&r.__c&&y.getSnapshotBeforeUpdate&&(T=y.getSnapshotBeforeUpdate(C,w)),ne=p&&p.type===b&&p.key==null?p.props.children:p,E.__P&&(p=c,a=(t=E.__P).namespaceURI,l=o=null,r.props&&r.props.__P!=t&&(r.__k.some(function(e){e&&se(e,e)}),r.__k=null),c=r.__k?S(r,0):null),c=ee(t,m(ne)?ne:[ne],n,r,i,a,o,s,c,l,d),E.__P&&(n.__e=null,c=p),n.__u&=-161,h&&h.some(_),y.__h.length&&s.push(y),1&y.__g&&(y.__g&=-4)}catch(t){if(s.length=v,n.__v=null,l||o){if(t&&t.then){if(n.__u|=128|l,o){for(~(M=o.indexOf(c||void 0))||(M=o.length);(N=o[M-1])&&N.nodeType==8;)M--;for(;M<o.length;M++)if(N=o[M]){if(o[M]=null,j){if(N==ae)break}else{if(N.nodeType!=8)break;N.data.startsWith(`$s`)&&(ae=re(j=N))}}}if(!j){for(;c&&c.nodeType==8&&c.nextSibling;)c=c.nextSibling;j=c}(p=re(j=n.__c.__z||(n.__c.__z=j)))?(n.__e=j,c=p):n.__e=c,c&&=c.nextSibling}else o&&o.some(_)}else n.__e=r.__e;n.__k||=r.__k||[],t&&t.then||ie(n),e.__e(t,n,r)}}else c=n.__e=oe(r.__e,n,r,i,a,o,s,l,d,t);return(p=e.diffed)&&p(n),c}function re(e,t){if(e&&e.nodeType==8&&e.data.startsWith(`$s`))for(var n=1;e=e.nextSibling;){if(e.nodeType==8){if(e.data.startsWith(`$s`))n++;else if(e.data.startsWith(`/$s`)&&!--n)return e}t&&t.push(e)}}function ie(e){e&&(e.__c&&(e.__c.__g|=4),e.__k&&e.__k.some(ie))}function ae(t,n,r){for(var i=0;i<r.length;)M(r[i++],r[i++],r[i++]);e.__c&&e.__c(n,t),t.some(function(n){try{t=n.__h,n.__h=[],t.some(function(e){e.call(n)})}catch(t){e.__e(t,n.__v)}})}function oe(t,n,r,i,a,o,s,c,l,u){var f,g,v,y,b,x,C,w,T=r.props||d,E=n.props,D=n.type;if(D==`svg`?a=`http://www.w3.org/2000/svg`:D==`math`?a=`http://www.w3.org/1998/Math/MathML`:a||=`http://www.w3.org/1999/xhtml`,o){for(f=0;f<o.length;f++)if((b=o[f])&&(D?b.localName==D:b.nodeType==3)){t=b,o[f]=null;break}}if(!t){if(w=u.ownerDocument||document,!D)return w.createTextNode(E);t=w.createElementNS(a,D,E.is?E:u),c&&=(e.__m&&e.__m(n,o),!1),o=null}if(D){if(u=D==`template`&&t.content||t,o=D==`textarea`&&E.defaultValue!=null?null:o&&h.call(u.childNodes),!c&&o)for(T={},f=0;f<t.attributes.length;f++)T[(b=t.attributes[f]).name]=b.value;for(f in T)b=T[f],f==`dangerouslySetInnerHTML`?v=b:f==`children`||f in E||f==`value`&&`defaultValue`in E||f==`checked`&&`defaultChecked`in E||A(t,f,null,b,a);for(f in E)b=E[f],f==`children`?y=b:f==`dangerouslySetInnerHTML`?g=b:f==`value`?x=b:f==`checked`?C=b:c&&typeof b!=`function`||T[f]===b||A(t,f,b,T[f],a);g?(c||v&&(g.__html==v.__html||g.__html==t.innerHTML)||(t.innerHTML=g.__html),n.__k=[]):(v&&(t.textContent=``),(D==`foreignObject`||a==`http://www.w3.org/1998/Math/MathML`&&p.test(D))&&(a=`http://www.w3.org/1999/xhtml`),ee(u,m(y)?y:[y],n,r,i,a,o,s,o?o[0]:r.__k&&S(r,0),c,l),o&&o.some(_)),c&&D!=`textarea`||(f=`value`,D==`progress`&&x==null?t.removeAttribute(f):x==null||x===t[f]&&(D!=`progress`||x)||A(t,f,x,T[f],a),f=`checked`,C!=null&&C!=t[f]&&A(t,f,C,T[f],a))}else T===E||c&&t.data==E||(t.data=E);return t}function M(t,n,r,i){try{typeof t==`function`?n?n.__x=t(n)||1:(i&&=i.__c||i.__e)&&(n=i.__x)&&(i.__x=null,typeof n==`function`?n():t(null)):t.current=n}catch(t){e.__e(t,r)}}function se(t,n,r){var i,a,o,s;if(e.unmount&&e.unmount(t),!(i=t.ref)||i.current&&i.current!=t.__e||M(i,null,n,t),i=t.__c){if(i.componentWillUnmount)try{i.componentWillUnmount()}catch(t){e.__e(t,n)}i.__P=i.__n=null}if(i=t.__k)for(s=0;s<i.length;s++)i[s]&&se(i[s],n,typeof t.type!=`function`||r&&!t.props.__P);!r&&(i=t.__c)&&(i=i.__z)&&(a=re(i,o=[]))&&(i==t.__e&&o.some(_),_(a),_(i)),r||_(t.__e),t.__e=t.__c=t.__=null}function ce(e,t,n){return this.constructor(e,n)}function N(t,n){var r,i,a,o;e.__&&e.__(t,n),n.nodeType==9&&(n=n.documentElement),i=(r=t&&32&t.__u)?null:n.__k,n.__k=y(b,{children:[t]}),a=[],o=[],j(n,n.__k,i||d,d,n.namespaceURI,i?null:n.firstChild?h.call(n.childNodes):null,a,i?i.__e:n.firstChild,r,o),ae(a,n.__k,o),n.__k.props.children=null}e={__e:function(e,t,n,r){for(var a,o,s;t=t.__;)if((a=t.__c)&&!(1&a.__g)){a.__g|=4;try{if((s=(o=a.constructor)&&o.getDerivedStateFromError)&&a.setState(o.getDerivedStateFromError(e)),a.componentDidCatch&&(a.componentDidCatch(e,r||{}),s=1),s&&8&a.__g)return void(a.__g|=2)}catch(t){e=t}}throw i=0,e}},t=0,x.prototype.setState=function(e,t){var n=this.__s;n&&n!=this.state||(n=this.__s=g({},this.state)),typeof e==`function`&&(e=e(g({},n),this.props)),e&&(g(n,e),this.__v&&(t&&this.__k.push(t),T(this)))},x.prototype.forceUpdate=function(e){this.__v&&(this.__g|=4,e&&this.__h.push(e),T(this))},x.prototype.render=b,n=[],i=0,a=function(e,t){return e.__v.__b-t.__v.__b},o=Symbol(),s=/(PointerCapture)$|Capture$/i,c=0,l={};var P=2**31-1;function F(e,t){return setTimeout(t,Math.min(e,P))}function le(e,{minDelay:t,maxDelay:n},r=0){let i=Math.min(n,t*2**Math.min(e,20));return Math.max(i/2,r*1e3||0)+Math.random()*i/2}function ue(e,t){return new Promise((n,r)=>{let i=()=>(clearTimeout(a),r(t.reason));if(t?.aborted)return r(t.reason);let a=F(e,()=>(t?.removeEventListener(`abort`,i),n()));t?.addEventListener(`abort`,i,{once:!0})})}function de(e){if(typeof e==`string`)return e;let t=e.loc?.source.body??(e instanceof String?e.toString():void 0);if(t!==void 0)return t;throw TypeError(`No text: set documentMode "string" in graphql-codegen.`)}var I=class extends Error{constructor(e,t,n={}){super(t),Object.assign(this,{name:`RequestError`,code:e,errors:[]},n)}get isTemporary(){return/^(NETWORK|TIMEOUT|UNAVAILABLE|RATE_LIMITED)$/.test(this.code)}},fe=`It is closed.`;function pe(e,t){let n=e[0],{code:r=`INTERNAL`,retryAfter:i}=n?.extensions??{};return new I(r,n?.message??`The request failed.`,{retryAfter:i,errors:e,data:t})}function me(){return new I(`SIGNED_OUT`,`No user is signed in.`)}function he(e){return e instanceof I?e:new I(`NETWORK`,e?.message??String(e),{cause:e})}function ge(e){try{e()}catch(e){queueMicrotask(()=>{throw e})}}async function _e(e){try{return await ve(e.timeout,e.signal,t=>xe(e,t))}catch(e){throw e instanceof I?e:new I(`NETWORK`,`The server cannot be reached.`,{cause:e})}}async function ve(e,t,n,r){if(t?.aborted)throw be(t);let i=new AbortController,a,o=new Promise((e,t)=>a=e=>(t(e),i.abort())),s=()=>a(be(t)),c=F(e,()=>a(new I(`TIMEOUT`,`No response in time.`))),l=r?.(a);t?.addEventListener(`abort`,s);try{return await Promise.race([o,n(i.signal)])}finally{clearTimeout(c),l?.(),t?.removeEventListener(`abort`,s)}}function ye(e){return/^\w+:/.test(e)?e:new URL(e,globalThis.location?.href).href}function be({reason:e}){return e instanceof I?e:new I(`ABORTED`,`The request was aborted.`,{cause:e})}async function xe(e,t){let{url:n,body:r,token:i,headers:a,credentials:o,fetch:s=globalThis.fetch}=e,c=await s(n,{method:`POST`,headers:{"content-type":`application/json`,accept:`application/json`,...a,...i&&{authorization:`Bearer ${i}`}},body:r,credentials:o,signal:t}),l=Se(await c.text());if(!l?.data&&!l?.errors)throw Ce(c);return{result:l,date:Date.parse(c.headers.get(`date`))||null}}function Se(e){try{return JSON.parse(e)}catch{return null}}function Ce({status:e,headers:t}){let n=e===429?`RATE_LIMITED`:/^4(?!08)/.test(`${e}`)?`BAD_REQUEST`:`UNAVAILABLE`,r=Number(t.get(`retry-after`))||void 0;return new I(n,`The server answered with status ${e}.`,{retryAfter:r})}function we(){let e=new Uint8Array(16),t=globalThis.crypto;return t?.getRandomValues?t.getRandomValues(e):e.forEach((t,n)=>e[n]=Math.random()*256),Array.from(e,e=>e.toString(16).padStart(2,`0`)).join(``)}function Te(e,t){return t===void 0||!e||e.status===`unknown`||e.user?.id===t?null:e.user?new I(`USER_CHANGED`,`Another user has signed in.`):me()}var Ee={minDelay:600,maxDelay:8e3};async function De(e,t,n={}){let{data:r,errors:i}=await Oe(e,t,n);if(r&&(!i?.length||Object.values(r).every(e=>e!==null)))return r;throw pe(i??[],r)}async function Oe(e,t,n={}){let{cache:r}=n,i=je(t,n);r?.resetFor(e.state?.user?.id);let a=r?.generation,o={userId:n.userId??e.state?.user?.id},s=await ve(1/0,n.signal,t=>ke({session:e,actor:o,body:i,options:n,signal:t}),t=>e.subscribe?.(()=>{let n=Te(e.state,o.userId);n&&t(n)}));return r&&s.data?{...s,data:r.write(s.data,a)}:s}async function ke(e){let{options:{idempotencyKey:t,retries:n=t?5:0,maxRetryAfter:r=30},signal:i}=e;for(let t=0;;t++){let a=await Ae(e).catch(he),o=a instanceof I?a:Me(a);if(t<n&&o?.isTemporary&&(o.retryAfter??0)<=r)await ue(le(t,Ee,o.retryAfter),i);else if(a instanceof I)throw a;else return a}}async function Ae({session:e,actor:t,body:n,options:r,signal:i}){let{url:a,fetch:o,credentials:s=`same-origin`}=e,{headers:c,timeout:l=e.timeout??15e3}=r,u=async n=>{let r=await ve(l,i,()=>e.authorize({refused:n,userId:t.userId}));return t.userId??=r?.user?.id,r},d=async e=>(await _e({url:a,fetch:o,credentials:s,timeout:l,headers:c,body:n,token:e,signal:i})).result,f=await u(),p=await d(f?.token),m=Object.values(p.data??{}).some(e=>e!==null);if(!f||m||Me(p)?.code!==`UNAUTHENTICATED`)return p;let h=await u(f.token);if(!h)throw me();return h.token===f.token?p:d(h.token)}function je({query:e,variables:t,operationName:n,extensions:r},{idempotencyKey:i}){let a=i===!0?we():i,o=a?{...r,idempotencyKey:a}:r;return JSON.stringify({query:de(e),variables:t,operationName:n,extensions:o})}function Me({data:e,errors:t}){let n=!e||Object.values(e).some(e=>e===null);return t?.length&&n?pe(t,e):null}function Ne(e,t){return Object.fromEntries(Object.entries(e).map(([e,n])=>[e,t(n,e)]))}function Pe(e,t){if(typeof e!=`object`||typeof t!=`object`||!e||!t)return e===t;let n=Object.keys(e);return n.length===Object.keys(t).length&&n.every(n=>Pe(e[n],t[n]))}var Fe=class extends Map{#e;constructor(e){super(),this.#e=e}set(e,t){return this.delete(e),super.set(e,t),this.size>this.#e&&this.delete(this.keys().next().value),this}};function Ie(){let e=new Set;return{add(t){let n={listener:t};return e.add(n),()=>void e.delete(n)},notify(...t){for(let{listener:n}of[...e])ge(()=>n(...t))}}}var Le=6e4,Re=8e3,ze=3e5,Be=`accessToken expiresAt refreshToken user { id username role } userErrors { message code }`,Ve=`mutation SignIn($input: LoginInput!) { signedIn: login(input: $input) { ${Be} } }`,He=`mutation StaySignedIn($input: RefreshTokenInput!) { signedIn: refreshToken(input: $input) { ${Be} } }`,Ue=`mutation SignOut { logout { userErrors { message } } }`;function We(e,t,n){return qe(e,Ve,{username:t,password:n,...e.storage&&{returnRefreshToken:!0}})}async function Ge(e,t=!1){let{storage:n}=e,r=n&&await n.get();if(n&&!r)return null;let i=Math.min(e.timeout,Re);try{return await qe({...e,timeout:i},He,r?{refreshToken:r}:{})}catch(r){let{code:i}=he(r);if(i===`TIMEOUT`&&!t)return Ge(e,!0);if(i!==`INVALID_CREDENTIALS`)throw r;return await n?.set(null),null}}async function Ke(e,t){let n=(await Je(e,Ue,void 0,t)).result.errors,r=n?.length?pe(n):null;if(r&&r.code!==`UNAUTHENTICATED`)throw r;await e.storage?.set(null)}async function qe(e,t,n){let{result:r,date:i}=await Je(e,t,{input:n}),a=r.data?.signedIn;if(!a?.accessToken)throw Ye(a,r.errors);return e.storage&&await e.storage.set(a.refreshToken??null),Xe(a,i)}function Je(e,t,n,r){let{url:i,timeout:a,fetch:o,storage:s}=e;return _e({url:i,timeout:a,fetch:o,token:r,body:JSON.stringify({query:t,variables:n}),credentials:s?`omit`:`include`})}function Ye(e,t=[]){let n=e?.userErrors[0];return n?new I(n.code,n.message):pe(t)}function Xe({accessToken:e,expiresAt:t,user:n},r){let i=Date.now(),a=Date.parse(t)-(r??i),o=a>0?a:ze;return{token:e,user:n,refreshAt:i+o-Math.min(Le,o/10),expiresAt:i+o}}var Ze=1e3;function Qe(e,t,n){let r,i=Promise.resolve(),a=()=>{};async function o(t,n,r){let i=new AbortController,o=setTimeout(()=>i.abort(),r),s=new Promise(e=>a=e),c,l=()=>c??=n(),u=()=>(setTimeout(a,Ze),s.then(l));try{await t.request(e(),{ifAvailable:!0},e=>e&&l()),c||await t.request(e(),{signal:i.signal},u)}catch{}return clearTimeout(o),l()}return{open(){t||r||typeof BroadcastChannel>`u`||(r=new BroadcastChannel(e()),r.onmessage=({data:e})=>{n(e),a()},r.unref?.())},send:e=>r?.postMessage(e),close:()=>r?.close(),exclusive(e,n){let r=!t&&globalThis.navigator?.locks,a=i.then(()=>r?o(r,e,n):e());return i=a.catch(()=>{}),a}}}var $e={status:`unknown`,user:null,error:null},et={status:`signedOut`,user:null,error:null},tt={minDelay:2e3,maxDelay:6e4},nt=1e3,rt=2;function it(e){return new at(e)}var at=class{url;timeout;fetch;credentials;#e;#t;#n=Ie();#r=$e;#i;#a=null;#o;#s=0;#c=null;#l=!1;constructor({url:e,credentials:t=`cookie`,timeout:n=15e3,fetch:r}){let i=t===`cookie`?null:t;this.url=e,this.timeout=n,this.fetch=r,this.credentials=i?`omit`:`include`,this.#e={url:e,timeout:n,storage:i,fetch:r},this.#t=Qe(()=>`taskriver:${ye(e)}`,!!i,e=>this.#_(e))}get state(){return this.#r}subscribe=e=>this.#n.add(e);async resume(){return(await this.authorize())?.user??null}async signIn(e,t){return this.#u(),this.#d(async()=>{let n=await We(this.#e,e,t);return this.#g(n),n.user})}async signOut(){this.#u(),await this.#d(async()=>{this.#f()&&await this.#m(),this.#i&&(await Ke(this.#e,this.#i.token),this.#g(null))})}async authorize({refused:e,userId:t}={}){this.#u();for(let t=0;t<rt&&this.#f(e);t++)await this.#p(e);let n=Te(this.#r,t);if(n)throw n;return this.#i??null}dispose(){this.#l=!0,clearTimeout(this.#o),this.#t.close()}#u(){if(this.#l)throw new I(`CLOSED`,fe);this.#t.open()}#d(e){return this.#t.exclusive(e,2*this.timeout)}#f(e){let t=this.#i;return t!==null&&(!t||t.token===e||t.refreshAt<=Date.now())}async#p(e){let t=async()=>void(this.#f(e)&&await this.#m());this.#a??=this.#d(t).finally(()=>this.#a=null);try{await this.#a}catch(t){if(!this.#i||this.#i.token===e||this.#i.expiresAt<=Date.now())throw t}}async#m(){if(this.#c)throw this.#c;let e=this.#i;try{let t=await Ge(this.#e);this.#i===e&&this.#g(t)}catch(e){throw this.#h(he(e)),e}}#h(e){this.#l||(e.retryAfter&&(this.#c=e),this.#v(le(this.#s++,tt,e.retryAfter)),this.#i===void 0&&this.#b({...$e,error:e}))}#g(e){this.#u(),this.#_(e),this.#t.send(e)}#_(e){this.#i=e,this.#s=0,this.#c=null,clearTimeout(this.#o),e&&this.#v(e.refreshAt-Date.now()),this.#b(e?{status:`signedIn`,user:e.user,error:null}:et)}#v(e){clearTimeout(this.#o),this.#o=F(Math.max(nt,e),this.#y),this.#o.unref?.()}#y=()=>{this.#c=null,this.#f()?this.authorize().catch(()=>{}):this.#i&&this.#v(this.#i.refreshAt-Date.now())};#b(e){let{user:t}=this.#r;e.error===this.#r.error&&e.status===this.#r.status&&Pe(t,e.user)||(this.#r=Pe(t,e.user)?{...e,user:t}:e,this.#n.notify())}},ot=`graphql-transport-ws`,st=4408,ct=4499,lt=1e3,ut=class{#e;#t;#n;#r=!1;#i=!1;#a;#o=Date.now();constructor(e,t,n,r){this.#e=n.silenceTimeout,this.#t=r;let{webSocket:i=globalThis.WebSocket}=n;this.#n=new i(e,ot),this.#n.onopen=()=>this.#p({type:`connection_init`,payload:{authorization:`Bearer ${t}`}}),this.#n.onmessage=({data:e})=>this.#s(String(e)),this.#n.onclose=({code:e,reason:t})=>this.close(e,t),this.#n.onerror=()=>{},this.#d(n.handshakeTimeout)}get isOpen(){return this.#r&&!this.#i}subscribe(e,t){this.#p({type:`subscribe`,id:e,payload:t})}complete(e){this.#p({type:`complete`,id:e})}check(e){if(this.isOpen){if(Date.now()-this.#o>this.#e)return this.#f();this.#p({type:`ping`}),this.#d(e)}}#s(e){this.#o=Date.now(),this.#r&&this.#d(this.#e);try{this.#c(JSON.parse(e))}catch{this.close(4400,`Invalid message.`)}}#c({type:e,id:t,payload:n}){e===`connection_ack`?this.#l():e===`ping`?this.#u(n):this.#t.message(e,t,n)}#l(){this.#r||(this.#r=!0,this.#d(this.#e),this.#t.acknowledged())}#u(e){this.#p({type:`pong`}),e?.cursors&&this.#t.cursors(e.cursors)}#d(e){clearTimeout(this.#a),this.#i||(this.#a=F(e,()=>this.#f()))}#f(){this.close(st,`No message arrived.`)}#p(e){if(!this.#i)try{this.#n.send(JSON.stringify(e))}catch{}}close(e,t=``){if(this.#i)return;this.#i=!0,clearTimeout(this.#a);let n=this.#n;n.onopen=n.onmessage=n.onclose=null,e===lt||!n.terminate?n.close(e===lt||e>=3e3?e:lt):n.terminate(),this.#t.closed(e,t)}},dt=[1002,1003,1007,1008,1009,1010,4400,4406,4409,4429],ft=4401,pt=4403,mt=[`SIGNED_OUT`,`USER_CHANGED`,`CLOSED`,`CONNECTION_REFUSED`],ht=class{status={state:`idle`,connections:0,error:null,retryAt:null};#e;#t;#n=null;#r=null;#i;#a;#o=!1;#s;#c=0;#l=!0;#u;#d;#f;constructor(e,t){this.#e=e,this.#t=t}get connection(){return this.#n?.isOpen?this.#n:null}start(){if(this.status.state!==`idle`)return;let{session:e}=this.#e;this.#s=e.state?.user?.id,this.#f=e.subscribe?.(this.#C),this.#p()}stop(e=`idle`,t=null){this.#f?.(),this.#r=null,this.#a=this.#s=void 0,this.#o=!1,this.#c=0,clearTimeout(this.#u),this.#w({state:e,error:t,retryAt:null}),this.#y(1e3)}check(){this.status.state===`waiting`&&this.#l?this.#p():this.connection?.check(this.#e.checkTimeout)}reconnect(e){this.status.state!==`idle`&&this.status.state!==`closed`&&(this.#y(ct),this.#x(e,new I(`CLOSED`,`The connection was closed.`)))}renew(e){this.#a=this.#i,this.#y(ct),this.#b(e)}#p=async()=>{let e=this.#r={};clearTimeout(this.#u),this.#w({state:`connecting`,retryAt:null});try{let t=await ve(this.#e.handshakeTimeout,void 0,()=>this.#m());this.#r===e&&this.#g(t,e)}catch(t){this.#r===e&&this.#h(t)}};async#m(){let e=await this.#e.session.authorize({refused:this.#a,userId:this.#s});if(!e)throw me();if(e.token!==this.#a)return e;throw new I(`CONNECTION_REFUSED`,`The token was refused.`)}#h(e){let t=he(e);mt.includes(t.code)||e?.fatal?this.#S(t):this.#b(t)}#g({token:e,user:t},n){let r=this.#e;this.#i=e,this.#s??=t?.id;let i={...this.#t,acknowledged:()=>this.#_(),closed:(e,t)=>this.#r===n&&this.#v(e,t)};try{this.#n=new ut(ye(r.url??r.session.url).replace(/^http/,`ws`),e,r,i)}catch(e){throw new I(`CONNECTION_REFUSED`,String(e),{cause:e})}}#_(){this.#a=void 0,this.#o=!1,this.#d=F(this.#e.stableAfter,()=>this.#c=0),this.#w({state:`connected`,error:null,connections:this.status.connections+1}),this.#t.connected(this.#n)}#v(e,t){this.#n=null,clearTimeout(this.#d),this.#t.disconnected();let n=t||`The connection was closed with ${e}.`,r=e===pt||e===ft;if(dt.includes(e)||e===ft&&this.#o)return this.#S(new I(`CONNECTION_REFUSED`,n,{closeCode:e}));r&&(this.#a=this.#i),this.#o||=r,this.#b(new I(r?`UNAUTHENTICATED`:`NETWORK`,n,{closeCode:e}))}#y(e){let t=this.#n;this.#n=this.#r=null,clearTimeout(this.#d),t&&(t.close(e),this.#t.disconnected())}#b(e){this.#x(le(this.#c++,this.#e,e.retryAfter),e)}#x(e,t){this.#r=null,this.#l=t.closeCode!==void 0||t.code===`NETWORK`||t.code===`TIMEOUT`,clearTimeout(this.#u),this.#u=F(e,this.#p),this.#w({state:`waiting`,error:t,retryAt:Date.now()+e})}#S(e){this.stop(`idle`,e),this.#t.failed(e)}#C=()=>{let e=Te(this.#e.session.state,this.#s);e&&this.#S(e)};#w(e){this.status.state!==`closed`&&(this.status={...this.status,...e},this.#t.changed(this.status))}},gt=256;function _t(e){let t=[],n=!1,r=null,i=[],a=()=>i.splice(0).forEach(e=>e()),o=e=>(r??=e,a()),s=e({next:e=>{t.push(e),t.length>=gt&&!n&&(s.pause(),n=!0),a()},error:e=>o({error:e}),complete:()=>o({})});return{next:async()=>{for(;!t.length&&!r;)await new Promise(e=>i.push(e));if(!t.length){let{error:e}=r;if(r={},e)throw e;return{done:!0,value:void 0}}let e=t.shift();return n&&!t.length&&(n=!1,s.resume()),{done:!1,value:e}},return:async()=>(t.length=0,s.end(),o({}),{done:!0,value:void 0}),[Symbol.asyncIterator](){return this}}}function vt(e,t,n,r,i){let a=null;async function o(a,o){t();for(let t=0;;t++)try{return await e?.(a,o)}catch(e){if(await ue(le(t,r,he(e).retryAfter),i),!n())throw e}}return({reason:e,cursor:t},n)=>a??=o({reason:e,cursor:t},n).finally(()=>a=null)}var yt=2e3,bt=class{request;id=null;isPaused=!1;failures=0;timer;#e;#t;#n=new Fe(yt);#r=0;#i=!1;constructor(e,t){this.request=e,this.#e=t;let{after:n}=e.variables??{};this.#t=n??null,JSON.stringify(this.payload)}get hasEnded(){return this.#i}get payload(){let{query:e,variables:t,operationName:n,extensions:r}=this.request;return{query:de(e),variables:{...t,after:this.#t},...n&&{operationName:n},...r&&{extensions:r}}}fail(e,t){let n=Date.now();n>this.#r&&(this.failures=0);let r=le(this.failures++,e,t);return this.#r=n+r+e.stableAfter,r}moveTo(e){this.#n.clear(),this.#t=e}pass(e){return!this.#n.has(e)&&(this.#n.set(e,!0),this.#t=e,!0)}next(e){this.#i||ge(()=>this.#e.next(e))}error(e){this.#a(()=>this.#e.error?.(e))}complete(){this.#a(()=>this.#e.complete?.())}end(){this.#i=!0}#a(e){this.#i||(this.#i=!0,ge(e))}};function xt({data:e}){let t=Object.values(e??{})[0];return typeof t?.cursor==`string`?t:void 0}function St(e){let{document:t,addEventListener:n}=globalThis,r=new AbortController,{signal:i}=r;return n?.(`online`,e,{signal:i}),n?.(`pageshow`,e,{signal:i}),t?.addEventListener(`visibilitychange`,()=>t.visibilityState===`visible`&&e(),{signal:i}),()=>r.abort()}var Ct={handshakeTimeout:1e4,silenceTimeout:3e4,checkTimeout:5e3,minDelay:500,maxDelay:15e3,stableAfter:1e4,idleTimeout:1e3};function wt(e){return new Tt(e)}var Tt=class{#e;#t=new Set;#n=new Map;#r;#i;#a=Ie();#o=Ie();#s=new AbortController;#c=0;#l;#u;constructor(e){let t=(t,n)=>e[n]??t;this.#e={...e,...Ne(Ct,t)},this.#r=new ht(this.#e,{connected:()=>this.#b(),disconnected:()=>this.#x(),failed:e=>this.#S(e),changed:()=>this.#a.notify(),message:(e,t,n)=>this.#w(e,this.#n.get(t),n),cursors:e=>this.#C(e)}),this.#i=vt(e.onResync,()=>e.cache?.reset(),()=>this.#t.size>0,this.#e,this.#s.signal)}get status(){return this.#r.status}onStatus=e=>this.#a.add(e);onCursor=e=>this.#o.add(e);subscribe=(e,t)=>{let n=this.#d(e,t);return()=>this.#f(n)};iterate=e=>_t(t=>{let n=this.#d(e,t);return{pause:()=>this.#v(n),resume:()=>this.#y(n),end:()=>this.#f(n)}});check=()=>this.#r.check();reconnect=(e=0)=>this.#r.reconnect(e);dispose=()=>{this.#s.abort(),this.#u?.(),this.#r.stop(`closed`);for(let e of this.#t)this.#p(e),e.complete();clearTimeout(this.#l)};#d(e,t){let n=new bt(e,t);return this.status.state===`closed`?(n.error(new I(`CLOSED`,fe)),n):(clearTimeout(this.#l),this.#u??=St(this.check),this.#t.add(n),this.#r.start(),this.#h(n),n)}#f(e){e.end(),this.#g(e),this.#p(e)}#p(e){this.#t.delete(e)&&(this.#_(e),clearTimeout(e.timer),this.#t.size||(this.#l=F(this.#e.idleTimeout,this.#m)))}#m=()=>{this.#u?.(),this.#u=void 0,this.status.state!==`idle`&&this.#r.stop()};#h(e){let{connection:t}=this.#r;if(!t||e.id!==null||e.isPaused||e.hasEnded)return;let n=e.id=`${++this.#c}`;this.#n.set(n,e),t.subscribe(n,e.payload)}#g(e){let{id:t}=e;t!==null&&(this.#_(e),this.#r.connection?.complete(t))}#_(e){this.#n.delete(e.id),e.id=null}#v(e){e.isPaused=!0,this.#g(e)}#y(e){e.isPaused=!1,this.#h(e)}#b(){for(let e of this.#t)this.#h(e)}#x(){for(let e of this.#n.values())e.id=null;this.#n.clear()}#S(e){let t=[...this.#t];for(let e of t)this.#p(e);for(let n of t)n.error(e)}#C(e){for(let[t,n]of Object.entries(e))this.#n.get(t)?.pass(n)&&this.#o.notify(n)}#w(e,t,n){if(t){if(e===`next`)return this.#T(t,n);if(e===`error`)return this.#D(t,n);e===`complete`&&(this.#p(t),t.complete())}}#T(e,t){let n=xt(t);if(n?.__typename===`ResyncRequired`)return void this.#E(e,n);if(n&&!e.pass(n.cursor))return;let{cache:r}=this.#e;e.next(r&&t.data?{...t,data:r.writeStream(t.data)}:t),n&&this.#o.notify(n.cursor)}async#E(e,t){this.#v(e),e.moveTo(t.cursor);let n=e.fail(this.#e);try{e.failures>1&&await ue(n,this.#s.signal);let r=await this.#i(t,e.request);typeof r==`string`&&e.moveTo(r),this.#y(e)}catch{}}#D(e,t){let n=pe(t);if(this.#_(e),n.code===`UNAUTHENTICATED`)return this.#r.renew(n);if(n.isTemporary)return this.#O(e,n);this.#p(e),e.error(n)}#O(e,{retryAfter:t}){e.isPaused=!0,e.timer=F(e.fail(this.#e,t),()=>this.#y(e))}};function Et(e,t){let[n,r]=[e.rank??``,t.rank??``];return n===r?jt(e.id)<jt(t.id)?-1:1:n<r?-1:1}function Dt(e){return`${e}\0`}function Ot({after:e,before:t},n){let r=e===null?void 0:n(e);return typeof r==`string`?Dt(r):t===null?void 0:``}function kt(e,t,n){let r=e.findIndex(e=>e.id===t),i=r+n;if(r<0||!e[i])return null;let a=e.filter(e=>e.id!==t);return{after:a[i-1]?.id??null,before:a[i]?.id??null}}function At({after:e,before:t}){return e===null?t===null?{}:{before:t}:{after:e}}function jt(e){try{return atob(e.replaceAll(`-`,`+`).replaceAll(`_`,`/`))}catch{return e}}var L=[`TODO`,`IN_PROGRESS`,`DONE`,`CANCELLED`],Mt=[`LOW`,`MEDIUM`,`HIGH`,`URGENT`],Nt=[`RANK`,`UPDATED`,`PRIORITY`,`DUE`,`CREATED`],Pt=[`ALL`,`OWNED`,`ASSIGNED`,`UNASSIGNED`],Ft={search:``,priority:`ALL`,whose:`ALL`,order:`UPDATED`,label:null};function It(e){return e===null?Ft:{...Ft,order:`RANK`}}var Lt=3;function Rt({search:e,priority:t,whose:n,label:r}){return e.trim()!==``||t!==`ALL`||n!==`ALL`||r!==null}function zt({search:e,priority:t,whose:n,label:r},i){let a=e.trim(),o={...a.length>=Lt&&{search:a},...t!==`ALL`&&{priority:[t]},...n===`OWNED`&&{ownerId:i},...n===`ASSIGNED`&&{assigneeId:i},...r!==null&&{labelIds:[r]}};return Object.keys(o).length?o:null}function Bt(e,t){return Rt(t)?e:[...e].filter(({parent:e})=>!e)}function Vt(e,t,n){let r={TODO:[],IN_PROGRESS:[],DONE:[],CANCELLED:[]},i=t.search.trim().toLowerCase();for(let a of e)Ht(a,t,i,n)&&r[a.status].push(a);let a=Kt[t.order];for(let e of L)r[e].sort((e,t)=>a(e,t)||Ut(e,t));return r}function Ht(e,{priority:t,whose:n,label:r},i,a){return r!==null&&!e.labels?.nodes.some(({id:e})=>e===r)||t!==`ALL`&&e.priority!==t||n===`OWNED`&&e.owner?.id!==a||n===`ASSIGNED`&&e.assignee?.id!==a||n===`UNASSIGNED`&&e.assignee?!1:!i||e.title.toLowerCase().includes(i)||e.description.toLowerCase().includes(i)}var Ut=(e,t)=>e.id<t.id?1:-1,Wt=(e,t)=>e===t?0:e<t?1:-1,Gt=(e,t)=>Number(t.pending??!1)-Number(e.pending??!1)||Wt(e.updatedAt,t.updatedAt),Kt={RANK:Et,UPDATED:Gt,CREATED:(e,t)=>Wt(e.createdAt,t.createdAt),PRIORITY:(e,t)=>Mt.indexOf(t.priority)-Mt.indexOf(e.priority)||Gt(e,t),DUE:(e,t)=>Wt(t.dueAt??`9999`,e.dueAt??`9999`)};function qt(e){let t=new URLSearchParams(e),n=t.get(`task`)||null,r=t.get(`project`)?.toUpperCase()||null,i=It(r),a=tn(Nt,t.get(`order`))??i.order;return{project:r,task:n,creating:n===null&&t.has(`new`),wanted:{search:(t.get(`search`)??``).slice(0,200),whose:tn(Pt,t.get(`whose`))??Ft.whose,priority:tn(Mt,t.get(`priority`))??Ft.priority,order:r===null&&a===`RANK`?i.order:a,label:r!==null&&t.get(`label`)||null}}}function Jt({project:e,task:t,creating:n,wanted:r},i,a=e=>e){let o=new URLSearchParams(i),s=(e,t)=>t===null?o.delete(e):o.set(e,t),c=It(e);s(`project`,e),s(`task`,t===null?null:a(t)),s(`new`,n?`1`:null),s(`search`,r.search||null);for(let e of[`whose`,`priority`,`order`])s(e,r[e]===c[e]?null:r[e].toLowerCase());s(`label`,r.label);let l=o.toString();return l&&`?${l}`}function Yt({task:e,creating:t}){return e!==null||t}function Xt(e){return{project:e,task:null,creating:!1,wanted:It(e)}}function Zt(e){return/^[a-z][a-z0-9]{1,9}-[1-9]\d{0,9}$/i.test(e)}function Qt(e){return{...e,task:null,creating:!1}}function $t(e,t){return e.project===t.project&&e.task===t.task&&e.creating===t.creating}function en(e,t){return Object.keys(e).every(n=>e[n]===t[n])}function tn(e,t){return e.find(e=>e===t?.toUpperCase())}var nn={nameOf:e=>e,idOf:e=>e},rn=class{names=nn;view=qt(location.search);guard=()=>!0;board=0;arrival=null;#e=new Map;#t=an(history.state)??0;#n=null;#r=[];#i=new Set;constructor(){history.replaceState({index:this.#t},``),addEventListener(`popstate`,e=>void this.#a(e.state))}subscribe=e=>(this.#i.add(e),()=>this.#i.delete(e));push(e){this.#c(e(this.view)),this.#t++,this.#s(()=>history.pushState({index:this.#t},``,this.#u()))}replace(e){this.#c(e(this.view)),this.#s(()=>history.replaceState({index:this.#t},``,this.#u()))}switchTo(e,{said:t=null,replacing:n=!1}={}){this.arrival={said:t},n?this.replace(()=>Xt(e)):this.push(()=>Xt(e))}rename(e,t){for(let[n,r]of this.#e)r===e&&this.#e.set(n,t);this.#e.set(e,t),this.#e.delete(t),this.view.project===e&&(this.#c({...this.view,project:t},!0),this.#s(()=>history.replaceState({index:this.#t},``,this.#u())))}close(){if(Yt(this.view)){if(this.#t===0)return this.replace(Qt);this.#c(Qt(this.view)),this.#t--,this.#s(()=>void this.#o(-1).then(()=>this.replace(e=>e)))}}reset(){this.replace(()=>qt(``))}async#a(e){if(this.#n)return this.#n();let t=this.#l(),n=(an(e)??this.#t+1)-this.#t,r=$t(t,this.view)||this.guard();if(r!==!0){if(await this.#o(-n),!await r)return;await this.#o(n)}this.#t+=n,this.#c(t),this.#s(()=>history.replaceState({index:this.#t},``,this.#u()))}async#o(e){if(e!==0){await new Promise(t=>{this.#n=t,history.go(e)}),this.#n=null;for(let e of this.#r.splice(0))e()}}#s(e){this.#n?this.#r.push(e):e()}#c(e,t=e.project===this.view.project){let{wanted:n}=this.view;t||this.board++,this.view=en(n,e.wanted)?{...e,wanted:n}:e;for(let e of this.#i)e()}#l(){let{project:e,task:t,...n}=qt(location.search);return{...n,project:(e&&this.#e.get(e))??e,task:t===null?null:this.names.idOf(t)}}#u(){return location.pathname+Jt(this.view,location.search,this.names.nameOf)+location.hash}};function an(e){let t=e?.index;return typeof t==`number`?t:null}var R,z,on,sn,cn=Object.is,ln=0,un=[],dn=[],B=e,fn=B.__b,pn=B.__r,mn=B.diffed,hn=B.__c,gn=B.unmount,_n=B.__;function vn(e,t){B.__h&&B.__h(z,e,ln||t),ln=0;var n=z.__H||(z.__H={__:[],__h:[]});return e>=n.__.length&&n.__.push({}),n.__[e]}function V(e){return ln=1,yn(On,e)}function yn(e,t,n){var r=vn(R++,2);if(r.t=e,!r.__c&&(r.__=[n?n(t):On(void 0,t),function(e){var t=(r.__N||r.__)[0],n=r.t(t,e);cn(t,n)||(r.__N=[n,r.__[1]],r.__c.setState({}))}],r.__c=z,!z.__f)){z.__f=!0;var i=z.shouldComponentUpdate;z.shouldComponentUpdate=function(e,t,n){var r=this.__H;if(!r)return!0;var a=!1,o=this.props!=e;if(r.__.some(function(e){e.__N&&(a=!0,cn(e.__[0],e.__N[0])||(o=!0))}),i){var s=i.call(this,e,t,n);return a?s||o:s}return!a||o}}return r.__}function H(e,t){var n=vn(R++,3);!B.__s&&Dn(n.__H,t)&&(n.__P=!0,n.__=e,n.u=t,z.__H.__h.push(n))}function U(e,t){var n=vn(R++,4);!B.__s&&Dn(n.__H,t)&&(n.__P=!1,n.__=e,n.u=t,z.__h.push(n))}function W(e){return ln=5,G(function(){return{current:e}},[])}function G(e,t){var n=vn(R++,7);return Dn(n.__H,t)&&(n.__=e(),n.__H=t),n.__}function bn(){var e=vn(R++,11);if(!e.__){for(var t=z.__v;!t.__m&&t.__;)t=t.__;var n=t.__m||(t.__m=[0,0]);e.__=`P`+n[0]+`-`+n[1]++}return e.__}function xn(){var e;do{for(;e=dn.shift();)try{Tn(e)}catch(t){B.__e(t,{__:(e=e.__P)&&e.__v})}for(;e=un.shift();){var t=e.__H;if(e.__P&&t)try{t.__h.some(Tn),t.__h.some(En),t.__h=[]}catch(n){t.__h=[],B.__e(n,e.__v)}}}while(dn.length)}B.__b=function(e){z=null,fn&&fn(e)},B.__=function(e,t){e&&t.__k&&t.__k.__m&&(e.__m=t.__k.__m),_n&&_n(e,t)},B.__r=function(e){pn&&pn(e),R=0;var t=(z=e.__c).__H;t&&(on==z?z.__h=[]:(t.__h.some(Tn),t.__h.some(En),R=0),t.__h=[],t.__.some(function(e){e.__N&&(e.__=e.__N),e.u=e.__N=void 0})),on=z},B.diffed=function(e){mn&&mn(e);var t=e.__c;t&&t.__H&&(t.__H.__h.length&&wn(un.push(t)),t.__H.__.some(function(e){e.u&&(e.__H=e.u)})),on=z=null},B.__c=function(e,t){t.some(function(e){try{e.__h.some(Tn),e.__h=e.__h.filter(function(e){return!e.__||En(e)})}catch(t){e.__h=[function(){throw t}]}}),hn&&hn(e,t)},B.unmount=function(e){gn&&gn(e);var t,n,r=e.__c;r&&r.__H&&(r.__H.__.some(function(r){try{if(r.__P&&r.__c){if(n===void 0){for(n=e.__;n&&(!n.__c||!n.__c.__P);)n=n.__;n&&=n.__c}r.__P=n,wn(dn.push(r))}else Tn(r)}catch(e){t=e}}),r.__H=void 0,t&&B.__e(t,r.__v))};var Sn=typeof requestAnimationFrame==`function`;function Cn(e){var t,n=function(){clearTimeout(r),Sn&&cancelAnimationFrame(t),setTimeout(e)},r=setTimeout(n,35);Sn&&(t=requestAnimationFrame(n))}function wn(e){e!=1&&sn==B.requestAnimationFrame||((sn=B.requestAnimationFrame)||Cn)(xn)}function Tn(e){var t=z,n=e.__c;typeof n==`function`&&(e.__c=void 0,n()),z=t}function En(e){var t=z;e.__c=e.__(),z=t}function Dn(e,t){return!e||e.length!=t.length||t.some(function(t,n){return!cn(t,e[n])})}function On(e,t){return typeof t==`function`?t(e):t}var kn=class{storage;#e;constructor(e,t=Mn(),n=`drafts`){this.storage=t,this.#e=`taskriver-${n}:${e}`}read(){try{let e=JSON.parse(this.storage.getItem(this.#e)??`{}`);return new Map(Object.entries(e).map(([e,t])=>[e,{...t,restored:!0}]))}catch{return new Map}}write(e){if(e.size===0)return this.storage.removeItem(this.#e);try{this.storage.setItem(this.#e,JSON.stringify(Object.fromEntries(e)))}catch{}}};function An(e){return new kn(e,Mn(),`project-drafts`)}function jn(e){return new kn(e).read().size>0||An(e).read().size>0}function Mn(){try{return sessionStorage}catch{return Pn}}var Nn=new Map,Pn={getItem:e=>Nn.get(e)??null,setItem:(e,t)=>void Nn.set(e,t),removeItem:e=>void Nn.delete(e)};function Fn({code:e,closeCode:t,message:n}){return e===`CLOSED`?`dropped on purpose`:t===1006?`the connection broke`:t?`${n} (${t})`:n}function In(e,t){let n=wt({session:e,onResync:({reason:e})=>t.resync(e??`unknown`)});n.onCursor(e=>t.stands(e));let r=n.status;return n.onStatus(()=>{let e=r;r=n.status,r.connections>e.connections?t.connected():r.state===`waiting`&&r.error&&t.lost(Fn(r.error))}),{session:e,ask:(t,n,r)=>De(e,{query:t,variables:n},r),receive:(e,i,a)=>n.subscribe({query:e,variables:i},{next:({data:e})=>a(e??null),error:e=>t.ended(e.code===`SIGNED_OUT`?`You are signed out.`:e.message),complete:()=>r.state===`closed`||t.ended(`The server ended the stream.`)}),reconnect:n.reconnect,end:n.dispose}}var K=class extends String{__apiType;value;__meta__;constructor(e,t){super(e),this.value=e,this.__meta__=t}toString(){return this.value}};new K(`
    fragment Card on Task {
  id
  title
  description
  status
  priority
  dueAt
  version
  createdAt
  updatedAt
  key
  rank
  commentCount
  subtaskCount
  doneSubtaskCount
  project {
    id
    key
  }
  parent {
    id
  }
  owner {
    id
    username
  }
  assignee {
    id
    username
  }
  viewerCanUpdate
  viewerCanUpdateStatus
  viewerCanAssign
  viewerCanDelete
  viewerCanComment
  viewerCanDeleteComments
}
    `,{fragmentName:`Card`}),new K(`
    fragment ProjectCard on Task {
  ...Card
  labels(first: 20) {
    nodes {
      id
    }
  }
}
    fragment Card on Task {
  id
  title
  description
  status
  priority
  dueAt
  version
  createdAt
  updatedAt
  key
  rank
  commentCount
  subtaskCount
  doneSubtaskCount
  project {
    id
    key
  }
  parent {
    id
  }
  owner {
    id
    username
  }
  assignee {
    id
    username
  }
  viewerCanUpdate
  viewerCanUpdateStatus
  viewerCanAssign
  viewerCanDelete
  viewerCanComment
  viewerCanDeleteComments
}`,{fragmentName:`ProjectCard`}),new K(`
    fragment ProjectEntry on Project {
  id
  key
  name
  isArchived
  viewerRole
}
    `,{fragmentName:`ProjectEntry`}),new K(`
    fragment ProjectDetails on Project {
  ...ProjectEntry
  description
  version
  viewerCanUpdate
  viewerCanArchive
  viewerCanDelete
  viewerCanManageMembers
  viewerCanManageLabels
}
    fragment ProjectEntry on Project {
  id
  key
  name
  isArchived
  viewerRole
}`,{fragmentName:`ProjectDetails`}),new K(`
    fragment LabelDetails on Label {
  id
  name
  color
  version
}
    `,{fragmentName:`LabelDetails`});var Ln=new K(`
    query Projects($after: String) {
  me {
    viewerCanCreateProjects
  }
  projects(first: 100, after: $after) {
    pageInfo {
      hasNextPage
      endCursor
    }
    nodes {
      ...ProjectEntry
    }
  }
}
    fragment ProjectEntry on Project {
  id
  key
  name
  isArchived
  viewerRole
}`),Rn=new K(`
    query Project($key: String, $after: String) {
  project(key: $key) {
    ...ProjectDetails
    labels(first: 100, after: $after) {
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        ...LabelDetails
      }
    }
  }
}
    fragment ProjectEntry on Project {
  id
  key
  name
  isArchived
  viewerRole
}
fragment ProjectDetails on Project {
  ...ProjectEntry
  description
  version
  viewerCanUpdate
  viewerCanArchive
  viewerCanDelete
  viewerCanManageMembers
  viewerCanManageLabels
}
fragment LabelDetails on Label {
  id
  name
  color
  version
}`),zn=new K(`
    query Members($key: String, $after: String) {
  project(key: $key) {
    members(first: 100, after: $after) {
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        id
        role
        user {
          id
          username
        }
      }
    }
  }
}
    `),Bn=new K(`
    query ProjectPage($after: String, $filter: TaskFilter) {
  tasks(first: 60, after: $after, filter: $filter, orderBy: UPDATED_DESC) {
    streamCursor
    pageInfo {
      hasNextPage
      endCursor
    }
    nodes {
      ...ProjectCard
    }
  }
}
    fragment Card on Task {
  id
  title
  description
  status
  priority
  dueAt
  version
  createdAt
  updatedAt
  key
  rank
  commentCount
  subtaskCount
  doneSubtaskCount
  project {
    id
    key
  }
  parent {
    id
  }
  owner {
    id
    username
  }
  assignee {
    id
    username
  }
  viewerCanUpdate
  viewerCanUpdateStatus
  viewerCanAssign
  viewerCanDelete
  viewerCanComment
  viewerCanDeleteComments
}
fragment ProjectCard on Task {
  ...Card
  labels(first: 20) {
    nodes {
      id
    }
  }
}`),Vn=new K(`
    query TaskPage($after: String, $filter: TaskFilter) {
  tasks(first: 100, after: $after, filter: $filter, orderBy: UPDATED_DESC) {
    streamCursor
    pageInfo {
      hasNextPage
      endCursor
    }
    nodes {
      ...Card
    }
  }
}
    fragment Card on Task {
  id
  title
  description
  status
  priority
  dueAt
  version
  createdAt
  updatedAt
  key
  rank
  commentCount
  subtaskCount
  doneSubtaskCount
  project {
    id
    key
  }
  parent {
    id
  }
  owner {
    id
    username
  }
  assignee {
    id
    username
  }
  viewerCanUpdate
  viewerCanUpdateStatus
  viewerCanAssign
  viewerCanDelete
  viewerCanComment
  viewerCanDeleteComments
}`),Hn=new K(`
    query Task($id: ID!) {
  task(id: $id) {
    ...ProjectCard
  }
}
    fragment Card on Task {
  id
  title
  description
  status
  priority
  dueAt
  version
  createdAt
  updatedAt
  key
  rank
  commentCount
  subtaskCount
  doneSubtaskCount
  project {
    id
    key
  }
  parent {
    id
  }
  owner {
    id
    username
  }
  assignee {
    id
    username
  }
  viewerCanUpdate
  viewerCanUpdateStatus
  viewerCanAssign
  viewerCanDelete
  viewerCanComment
  viewerCanDeleteComments
}
fragment ProjectCard on Task {
  ...Card
  labels(first: 20) {
    nodes {
      id
    }
  }
}`),Un=new K(`
    query TaskByKey($key: String!) {
  task: taskByKey(key: $key) {
    ...ProjectCard
  }
}
    fragment Card on Task {
  id
  title
  description
  status
  priority
  dueAt
  version
  createdAt
  updatedAt
  key
  rank
  commentCount
  subtaskCount
  doneSubtaskCount
  project {
    id
    key
  }
  parent {
    id
  }
  owner {
    id
    username
  }
  assignee {
    id
    username
  }
  viewerCanUpdate
  viewerCanUpdateStatus
  viewerCanAssign
  viewerCanDelete
  viewerCanComment
  viewerCanDeleteComments
}
fragment ProjectCard on Task {
  ...Card
  labels(first: 20) {
    nodes {
      id
    }
  }
}`),Wn=new K(`
    query Subtasks($id: ID!, $after: String) {
  task(id: $id) {
    subtasks(first: 50, after: $after) {
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        ...ProjectCard
      }
    }
  }
}
    fragment Card on Task {
  id
  title
  description
  status
  priority
  dueAt
  version
  createdAt
  updatedAt
  key
  rank
  commentCount
  subtaskCount
  doneSubtaskCount
  project {
    id
    key
  }
  parent {
    id
  }
  owner {
    id
    username
  }
  assignee {
    id
    username
  }
  viewerCanUpdate
  viewerCanUpdateStatus
  viewerCanAssign
  viewerCanDelete
  viewerCanComment
  viewerCanDeleteComments
}
fragment ProjectCard on Task {
  ...Card
  labels(first: 20) {
    nodes {
      id
    }
  }
}`),Gn=new K(`
    query Comments($id: ID!, $after: String) {
  task(id: $id) {
    comments(first: 100, after: $after) {
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        id
        text
        version
        createdAt
        isEdited
        viewerDidWrite
        author {
          username
        }
      }
    }
  }
}
    `),Kn=new K(`
    query Trash($projectId: ID, $after: String) {
  trash(projectId: $projectId, first: 50, after: $after) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    nodes {
      id
      key
      title
      status
      deletedAt
      subtaskCount
      deletedBy {
        username
      }
    }
  }
}
    `),qn=new K(`
    query Totals($projectId: ID, $isSubtask: Boolean) {
  TODO: tasks(
    first: 1
    filter: {status: [TODO], projectId: $projectId, isSubtask: $isSubtask}
  ) {
    totalCount
  }
  IN_PROGRESS: tasks(
    first: 1
    filter: {status: [IN_PROGRESS], projectId: $projectId, isSubtask: $isSubtask}
  ) {
    totalCount
  }
  DONE: tasks(
    first: 1
    filter: {status: [DONE], projectId: $projectId, isSubtask: $isSubtask}
  ) {
    totalCount
  }
  CANCELLED: tasks(
    first: 1
    filter: {status: [CANCELLED], projectId: $projectId, isSubtask: $isSubtask}
  ) {
    totalCount
  }
}
    `),Jn=new K(`
    query Newest($projectId: ID) {
  tasks(first: 100, filter: {projectId: $projectId}, orderBy: UPDATED_DESC) {
    streamCursor
    totalCount
    nodes {
      id
      version
    }
  }
}
    `),Yn=new K(`
    subscription TaskChanges($after: String) {
  taskChanged(after: $after) {
    __typename
    cursor
    at
    taskId
    task {
      ...Card
    }
    ... on TaskChanged {
      changes
      by {
        username
      }
    }
    ... on ResyncRequired {
      reason
    }
  }
}
    fragment Card on Task {
  id
  title
  description
  status
  priority
  dueAt
  version
  createdAt
  updatedAt
  key
  rank
  commentCount
  subtaskCount
  doneSubtaskCount
  project {
    id
    key
  }
  parent {
    id
  }
  owner {
    id
    username
  }
  assignee {
    id
    username
  }
  viewerCanUpdate
  viewerCanUpdateStatus
  viewerCanAssign
  viewerCanDelete
  viewerCanComment
  viewerCanDeleteComments
}`),Xn=new K(`
    subscription ProjectChanges($projectId: ID!, $after: String) {
  projectChanged(projectId: $projectId, after: $after) {
    __typename
    cursor
    at
    taskId
    task {
      ...ProjectCard
    }
    ... on TaskChanged {
      changes
      by {
        username
      }
    }
    ... on ProjectChanged {
      projectChange
      labelId
    }
    ... on ResyncRequired {
      reason
    }
  }
}
    fragment Card on Task {
  id
  title
  description
  status
  priority
  dueAt
  version
  createdAt
  updatedAt
  key
  rank
  commentCount
  subtaskCount
  doneSubtaskCount
  project {
    id
    key
  }
  parent {
    id
  }
  owner {
    id
    username
  }
  assignee {
    id
    username
  }
  viewerCanUpdate
  viewerCanUpdateStatus
  viewerCanAssign
  viewerCanDelete
  viewerCanComment
  viewerCanDeleteComments
}
fragment ProjectCard on Task {
  ...Card
  labels(first: 20) {
    nodes {
      id
    }
  }
}`),Zn=new K(`
    subscription CommentChanges($taskIds: [ID!], $after: String) {
  commentChanged(filter: {taskIds: $taskIds}, after: $after) {
    __typename
    cursor
    taskId
    ... on ResyncRequired {
      reason
    }
  }
}
    `),Qn=new K(`
    query History($id: ID!, $after: String) {
  task(id: $id) {
    history(first: 20, after: $after) {
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        at
        changes
        from
        to
        version
        by {
          username
        }
      }
    }
  }
}
    `),$n=new K(`
    query People($search: String!, $projectId: ID) {
  assignableUsers(search: $search, first: 50, projectId: $projectId) {
    id
    username
  }
}
    `),er=new K(`
    mutation CreateTask($input: CreateTaskInput!) {
  result: createTask(input: $input) {
    task {
      ...Card
    }
    userErrors {
      code
      message
      path
    }
  }
}
    fragment Card on Task {
  id
  title
  description
  status
  priority
  dueAt
  version
  createdAt
  updatedAt
  key
  rank
  commentCount
  subtaskCount
  doneSubtaskCount
  project {
    id
    key
  }
  parent {
    id
  }
  owner {
    id
    username
  }
  assignee {
    id
    username
  }
  viewerCanUpdate
  viewerCanUpdateStatus
  viewerCanAssign
  viewerCanDelete
  viewerCanComment
  viewerCanDeleteComments
}`),tr=new K(`
    mutation UpdateTask($input: UpdateTaskInput!) {
  result: updateTask(input: $input) {
    task {
      ...Card
    }
    userErrors {
      code
      message
      path
    }
  }
}
    fragment Card on Task {
  id
  title
  description
  status
  priority
  dueAt
  version
  createdAt
  updatedAt
  key
  rank
  commentCount
  subtaskCount
  doneSubtaskCount
  project {
    id
    key
  }
  parent {
    id
  }
  owner {
    id
    username
  }
  assignee {
    id
    username
  }
  viewerCanUpdate
  viewerCanUpdateStatus
  viewerCanAssign
  viewerCanDelete
  viewerCanComment
  viewerCanDeleteComments
}`),nr=new K(`
    mutation MoveTask($input: UpdateTaskStatusInput!) {
  result: updateTaskStatus(input: $input) {
    task {
      ...Card
    }
    userErrors {
      code
      message
      path
    }
  }
}
    fragment Card on Task {
  id
  title
  description
  status
  priority
  dueAt
  version
  createdAt
  updatedAt
  key
  rank
  commentCount
  subtaskCount
  doneSubtaskCount
  project {
    id
    key
  }
  parent {
    id
  }
  owner {
    id
    username
  }
  assignee {
    id
    username
  }
  viewerCanUpdate
  viewerCanUpdateStatus
  viewerCanAssign
  viewerCanDelete
  viewerCanComment
  viewerCanDeleteComments
}`),rr=new K(`
    mutation AssignTask($input: AssignTaskInput!) {
  result: assignTask(input: $input) {
    task {
      ...Card
    }
    userErrors {
      code
      message
      path
    }
  }
}
    fragment Card on Task {
  id
  title
  description
  status
  priority
  dueAt
  version
  createdAt
  updatedAt
  key
  rank
  commentCount
  subtaskCount
  doneSubtaskCount
  project {
    id
    key
  }
  parent {
    id
  }
  owner {
    id
    username
  }
  assignee {
    id
    username
  }
  viewerCanUpdate
  viewerCanUpdateStatus
  viewerCanAssign
  viewerCanDelete
  viewerCanComment
  viewerCanDeleteComments
}`),ir=new K(`
    mutation DeleteTask($input: DeleteTaskInput!) {
  result: deleteTask(input: $input) {
    deletedTaskId
    userErrors {
      code
      message
      path
    }
  }
}
    `),ar=new K(`
    mutation RestoreTask($input: RestoreTaskInput!) {
  result: restoreTask(input: $input) {
    task {
      ...ProjectCard
    }
    userErrors {
      code
      message
      path
    }
  }
}
    fragment Card on Task {
  id
  title
  description
  status
  priority
  dueAt
  version
  createdAt
  updatedAt
  key
  rank
  commentCount
  subtaskCount
  doneSubtaskCount
  project {
    id
    key
  }
  parent {
    id
  }
  owner {
    id
    username
  }
  assignee {
    id
    username
  }
  viewerCanUpdate
  viewerCanUpdateStatus
  viewerCanAssign
  viewerCanDelete
  viewerCanComment
  viewerCanDeleteComments
}
fragment ProjectCard on Task {
  ...Card
  labels(first: 20) {
    nodes {
      id
    }
  }
}`),or=new K(`
    mutation PlaceTask($input: MoveTaskInput!) {
  result: moveTask(input: $input) {
    task {
      ...Card
    }
    userErrors {
      code
      message
      path
    }
  }
}
    fragment Card on Task {
  id
  title
  description
  status
  priority
  dueAt
  version
  createdAt
  updatedAt
  key
  rank
  commentCount
  subtaskCount
  doneSubtaskCount
  project {
    id
    key
  }
  parent {
    id
  }
  owner {
    id
    username
  }
  assignee {
    id
    username
  }
  viewerCanUpdate
  viewerCanUpdateStatus
  viewerCanAssign
  viewerCanDelete
  viewerCanComment
  viewerCanDeleteComments
}`),sr=new K(`
    mutation UpdateTasks($input: UpdateTasksInput!) {
  result: updateTasks(input: $input) {
    results {
      taskId
      task {
        ...Card
      }
      userErrors {
        code
        message
        path
      }
    }
    userErrors {
      code
      message
      path
    }
  }
}
    fragment Card on Task {
  id
  title
  description
  status
  priority
  dueAt
  version
  createdAt
  updatedAt
  key
  rank
  commentCount
  subtaskCount
  doneSubtaskCount
  project {
    id
    key
  }
  parent {
    id
  }
  owner {
    id
    username
  }
  assignee {
    id
    username
  }
  viewerCanUpdate
  viewerCanUpdateStatus
  viewerCanAssign
  viewerCanDelete
  viewerCanComment
  viewerCanDeleteComments
}`),cr=new K(`
    mutation SetTaskLabels($input: SetTaskLabelsInput!) {
  result: setTaskLabels(input: $input) {
    task {
      ...ProjectCard
    }
    userErrors {
      code
      message
      path
    }
  }
}
    fragment Card on Task {
  id
  title
  description
  status
  priority
  dueAt
  version
  createdAt
  updatedAt
  key
  rank
  commentCount
  subtaskCount
  doneSubtaskCount
  project {
    id
    key
  }
  parent {
    id
  }
  owner {
    id
    username
  }
  assignee {
    id
    username
  }
  viewerCanUpdate
  viewerCanUpdateStatus
  viewerCanAssign
  viewerCanDelete
  viewerCanComment
  viewerCanDeleteComments
}
fragment ProjectCard on Task {
  ...Card
  labels(first: 20) {
    nodes {
      id
    }
  }
}`),lr=new K(`
    mutation SetTaskParent($input: SetTaskParentInput!) {
  result: setTaskParent(input: $input) {
    task {
      ...Card
    }
    userErrors {
      code
      message
      path
    }
  }
}
    fragment Card on Task {
  id
  title
  description
  status
  priority
  dueAt
  version
  createdAt
  updatedAt
  key
  rank
  commentCount
  subtaskCount
  doneSubtaskCount
  project {
    id
    key
  }
  parent {
    id
  }
  owner {
    id
    username
  }
  assignee {
    id
    username
  }
  viewerCanUpdate
  viewerCanUpdateStatus
  viewerCanAssign
  viewerCanDelete
  viewerCanComment
  viewerCanDeleteComments
}`),ur=new K(`
    mutation CreateLabel($input: CreateLabelInput!) {
  result: createLabel(input: $input) {
    label {
      ...LabelDetails
    }
    userErrors {
      code
      message
      path
    }
  }
}
    fragment LabelDetails on Label {
  id
  name
  color
  version
}`),dr=new K(`
    mutation UpdateLabel($input: UpdateLabelInput!) {
  result: updateLabel(input: $input) {
    label {
      ...LabelDetails
    }
    userErrors {
      code
      message
      path
    }
  }
}
    fragment LabelDetails on Label {
  id
  name
  color
  version
}`),fr=new K(`
    mutation DeleteLabel($input: DeleteLabelInput!) {
  result: deleteLabel(input: $input) {
    deletedLabelId
    userErrors {
      code
      message
      path
    }
  }
}
    `),pr=new K(`
    mutation CreateComment($input: CreateCommentInput!) {
  result: createComment(input: $input) {
    comment {
      id
    }
    userErrors {
      code
      message
      path
    }
  }
}
    `),mr=new K(`
    mutation UpdateComment($input: UpdateCommentInput!) {
  result: updateComment(input: $input) {
    comment {
      id
    }
    userErrors {
      code
      message
      path
    }
  }
}
    `),hr=new K(`
    mutation DeleteComment($input: DeleteCommentInput!) {
  result: deleteComment(input: $input) {
    deletedCommentId
    userErrors {
      code
      message
      path
    }
  }
}
    `),gr=new K(`
    mutation CreateProject($input: CreateProjectInput!) {
  result: createProject(input: $input) {
    project {
      ...ProjectEntry
    }
    userErrors {
      code
      message
      path
    }
  }
}
    fragment ProjectEntry on Project {
  id
  key
  name
  isArchived
  viewerRole
}`),_r=new K(`
    mutation UpdateProject($input: UpdateProjectInput!) {
  result: updateProject(input: $input) {
    project {
      ...ProjectDetails
    }
    userErrors {
      code
      message
      path
    }
  }
}
    fragment ProjectEntry on Project {
  id
  key
  name
  isArchived
  viewerRole
}
fragment ProjectDetails on Project {
  ...ProjectEntry
  description
  version
  viewerCanUpdate
  viewerCanArchive
  viewerCanDelete
  viewerCanManageMembers
  viewerCanManageLabels
}`),vr=new K(`
    mutation ArchiveProject($input: ArchiveProjectInput!) {
  result: archiveProject(input: $input) {
    project {
      ...ProjectDetails
    }
    userErrors {
      code
      message
      path
    }
  }
}
    fragment ProjectEntry on Project {
  id
  key
  name
  isArchived
  viewerRole
}
fragment ProjectDetails on Project {
  ...ProjectEntry
  description
  version
  viewerCanUpdate
  viewerCanArchive
  viewerCanDelete
  viewerCanManageMembers
  viewerCanManageLabels
}`),yr=new K(`
    mutation DeleteProject($input: DeleteProjectInput!) {
  result: deleteProject(input: $input) {
    deletedProjectId
    userErrors {
      code
      message
      path
    }
  }
}
    `),br=new K(`
    mutation AddMember($input: AddMemberInput!) {
  result: addMember(input: $input) {
    membership {
      id
    }
    userErrors {
      code
      message
      path
    }
  }
}
    `),xr=new K(`
    mutation SetMemberRole($input: SetMemberRoleInput!) {
  result: setMemberRole(input: $input) {
    membership {
      id
    }
    userErrors {
      code
      message
      path
    }
  }
}
    `),Sr=new K(`
    mutation RemoveMember($input: RemoveMemberInput!) {
  result: removeMember(input: $input) {
    deletedMembershipId
    userErrors {
      code
      message
      path
    }
  }
}
    `),Cr=new K(`
    mutation LeaveProject($input: LeaveProjectInput!) {
  result: leaveProject(input: $input) {
    deletedMembershipId
    userErrors {
      code
      message
      path
    }
  }
}
    `),q={TODO:`To do`,IN_PROGRESS:`In progress`,DONE:`Done`,CANCELLED:`Cancelled`},wr={LOW:`Low`,MEDIUM:`Medium`,HIGH:`High`,URGENT:`Urgent`},Tr={MANAGER:`Manager`,MEMBER:`Member`,VIEWER:`Viewer`},Er={CREATED:`created it`,TITLE:`changed the title`,DESCRIPTION:`changed the description`,STATUS:`moved it`,PRIORITY:`changed the priority`,DUE_AT:`changed the due date`,OWNER:`gave it another owner`,ASSIGNEE:`assigned it`,LABELS:`changed the labels`,RANK:`moved it up or down`,PARENT:`changed the parent task`,PROJECT:`moved it to another project`,RESTORED:`restored it`,DELETED:`deleted it`};function Dr(e){let t=e.map(e=>Er[e]),n=t.slice(1).map(e=>e.replace(/^changed /,t[0]?.startsWith(`changed `)?``:`changed `));return[t[0]??`changed it`,...n].join(` and `)}var Or={...q,...wr},kr={CONFLICT:`Another user changed it meanwhile. Look at it, then try again.`,NOT_FOUND:`It was deleted, or you can no longer see it.`};function J({code:e,message:t}){return e===`FAILED`?`${jr(t)} If it was saved all the same, the board will show it.`:kr[e]??jr(t)}function Ar(e,t){let n=J(e);return{field:e.path.find(e=>t.includes(e))??null,text:`${n.charAt(0).toUpperCase()}${n.slice(1)}`}}function jr(e){return e.replace(/\b[A-Z]+(?:_[A-Z]+)*\b/g,e=>Or[e]??e)}var Mr=new Set([`s1`,`s2`]);function Y(e){if(e===null)return null;try{let[t,n,r]=atob(e.replaceAll(`-`,`+`).replaceAll(`_`,`/`)).split(`.`);return!Mr.has(t)||!n||!/^\d+$/.test(r??``)?null:{epoch:n,position:Number(r)}}catch{return null}}function Nr(e,t){return!!e&&!!t&&e.epoch===t.epoch&&e.position<=t.position}var Pr={tasks:new Map,gone:new Set,place:null,resets:0};function X(e,t,n=e.place){let r=new Map(e.tasks);for(let n of t)e.gone.has(n.id)||Ur(r,n);return{...e,tasks:r,place:n}}function Fr(e,t,n){let r=new Map;for(let e of t)Ur(r,e);return{tasks:r,gone:Hr(new Set([...e.gone,...e.tasks.keys()].filter(e=>!r.has(e)))),place:Y(n),resets:e.resets+1}}function Ir(e,t){let n=new Map(e.tasks),r=new Set(e.gone),i=e.place;for(let e of t){let t=Y(e.cursor);Nr(t,i)||(i=t??i,e.taskId!==null&&(e.task?(r.delete(e.taskId),Ur(n,e.task)):(e.__typename===`TaskDeleted`||e.__typename===`TaskGone`)&&(r.add(e.taskId),n.delete(e.taskId))))}return{...e,tasks:n,gone:Hr(r),place:i}}function Lr(e,t,n){let r=e.tasks.get(t.id);return(r?r.version>=t.version:e.gone.has(t.id)||e.resets!==n.resets)?e:{...e,tasks:new Map(e.tasks).set(t.id,Wr(t,r))}}function Rr(e,t){let n=new Map(e.tasks);return n.delete(t),{...e,tasks:n,gone:Hr(new Set(e.gone).add(t))}}function zr(e,t,n){if(e.tasks.size<=2*t)return e;let r=[...e.tasks.values()].sort((e,t)=>Date.parse(t.updatedAt)-Date.parse(e.updatedAt)),i=new Map(r.slice(0,t).map(e=>[e.id,e]));for(let t of n)e.tasks.has(t)&&i.set(t,e.tasks.get(t));return{...e,tasks:i}}function Br(e,{id:t,key:n}){let r=[...e.tasks.values()].filter(({project:e})=>e?.id===t&&e.key!==n);if(!r.length)return e;let i=new Map(e.tasks);for(let e of r){let r=e.key?.slice(e.key.lastIndexOf(`-`));i.set(e.id,{...e,key:r===void 0?null:n+r,project:{id:t,key:n}})}return{...e,tasks:i}}function Vr(e,t){let n=new Map(e.tasks);for(let r of e.tasks.values())r.labels?.nodes.some(({id:e})=>e===t)&&n.set(r.id,{...r,labels:{nodes:r.labels.nodes.filter(({id:e})=>e!==t)}});return{...e,tasks:n}}function Hr(e){for(let t of e){if(e.size<=5e3)break;e.delete(t)}return e}function Ur(e,t){let n=e.get(t.id);(!n||n.version<=t.version)&&e.set(t.id,Wr(t,n))}function Wr(e,t){return e.labels||!t?.labels?e:{...e,labels:t.labels}}var Gr={TODO:[`IN_PROGRESS`,`DONE`,`CANCELLED`],IN_PROGRESS:[`TODO`,`DONE`,`CANCELLED`],DONE:[`TODO`,`IN_PROGRESS`],CANCELLED:[`TODO`]};function Z(e,t){return Gr[e].includes(t)}function Kr(e){return L.filter(t=>Z(e,t))}function qr(e,t){let n=L.indexOf(e);return(t<0?L.slice(0,n).reverse():L.slice(n+1)).find(t=>Z(e,t))??null}function Jr(e,t){let n=[[e]];for(let e of n){let r=e.at(-1);if(r===t)return e.slice(1);for(let t of Kr(r))e.includes(t)||n.push([...e,t])}return[]}var Yr=100,Xr=class{store;submitter;write;constructor(e,t,n){this.store=e,this.submitter=t,this.write=n}async move(e,t){let n=[...e].map(e=>this.store.tasks.get(e)).filter(e=>e!==void 0).filter(e=>e.status!==t),r=n.filter(e=>e.viewerCanUpdateStatus&&Z(e.status,t));this.write.forgetUndo();let i=Object.fromEntries(r.map(({id:e})=>[e,{status:t}])),a=await this.submitter.showing(i,()=>this.#e(r,t)),o=r.length-a.length,s=n.filter(e=>!r.includes(e)),c=[...a,...s.map(({title:e})=>`“${e}” cannot go to ${q[t]}.`)];o>0&&this.store.notice(`DONE`,`Moved ${Zr(o)} to ${q[t]}.`),c.length&&this.store.notice(`REFUSED`,Qr(c))}async#e(e,t){let n=[];for(let r=0;r<e.length;r+=Yr){let i=e.slice(r,r+Yr),a=this.store.state.board,o=({task:e,userErrors:[t],taskId:r})=>{e&&this.store.set(({board:t})=>({board:Lr(t,e,a)})),t&&n.push(`“${this.store.tasks.get(r)?.title??`A task`}”: ${jr(t.message)}`)},s={ids:i.map(({id:e})=>e),status:t},c=await this.submitter.request(sr,s,({results:e})=>e.forEach(o));c&&n.push(...i.map(({title:e})=>`“${e}”: ${c}`))}return n}};function Zr(e){return e===1?`1 task`:`${e} tasks`}function Qr(e){let[t]=e;return e.length===1?`Not moved: ${t}`:`${e.length} tasks were not moved. The first: ${t}`}var $r={title:``,description:``,priority:`MEDIUM`,dueAt:null},ei=[`title`,`description`,`priority`,`dueAt`],ti={title:`Title`,description:`Description`,priority:`Priority`,dueAt:`Due date`};function ni({title:e,description:t,priority:n,dueAt:r}){return{title:e,description:t,priority:n,dueAt:r}}function ri(e,t,n){return e===`title`?t.title.trim()===n.title.trim():e===`dueAt`?ai(t.dueAt)===ai(n.dueAt):t[e]===n[e]}function ii(e,t,n){return{...e,[t]:n[t]}}function ai(e){return e===null?null:Date.parse(e)}var oi={base:$r,mine:$r};function si(e,t,n,r){let{base:i,mine:a,assignee:o=null}=e??{base:r,mine:r};return{base:i[t]===a[t]?ii(i,t,r):i,mine:ii(a,t,n),assignee:o}}function ci(e,t){return e?hi(e).reduce((t,n)=>ii(t,n,e.mine),t):t}function li(e,t){return e?hi(e).filter(n=>!ri(n,e.base,t)&&!ri(n,e.mine,t)):[]}function ui(e,t){let n=hi(e).filter(n=>!ri(n,e.mine,t));return Object.fromEntries(n.map(t=>[t,e.mine[t]]))}function di(e,t){return!!e&&(!!e.assignee||Object.keys(ui(e,t)).length>0)}function fi(e,t,n,r){let{mine:i}=e;return{...e,base:ii(e.base,t,n),mine:r===`MINE`?i:ii(i,t,n)}}function pi(e,t){return{...e,base:{...e.base,...t}}}function mi(e){return hi(e).length===0&&!e.assignee}function hi({base:e,mine:t}){return ei.filter(n=>e[n]!==t[n])}var gi=4,_i=`Choose a value for each field that another user changed, too. Then save again.`,vi=`This task was deleted, or you can no longer see it.`,yi=`Others keep changing this task. Try again in a moment.`,bi=class{store;#e=new Map;constructor(e){this.store=e}type(e,t,n,r){this.store.draft(e,e=>{let i=si(e,t,n,r);return mi(i)?null:i})}assign(e){this.store.draft(`new`,t=>{let n={...t??oi,assignee:e};return mi(n)?null:n})}decide(e,t,n){let r=this.store.state.board.tasks.get(e);r&&this.store.draft(e,e=>e?fi(e,t,ni(r),n):null)}salvage(e){let t=this.store.state.drafts.get(e);this.store.draft(e,()=>null),t&&this.store.draft(`new`,()=>({base:$r,mine:t.mine})),this.store.navigation.replace(e=>({...e,task:null,creating:!0}))}save(e){return this.#i(e,()=>this.#t(e))}create(){return this.#i(`new`,async()=>{let{assignee:e,...t}=this.store.state.drafts.get(`new`)??oi,n=await this.store.write.create({...ci(t,$r),assigneeId:e?.id??null});return n.made?(this.store.draft(`new`,()=>null),null):J(n)})}async#t(e){for(let t=0;t<gi;t++){let t=this.store.state.board.tasks.get(e),n=this.store.state.drafts.get(e);if(!t)return vi;if(!n)return null;let r=ni(t);if(li(n,r).length)return _i;let i=ui(n,r);if(!Object.keys(i).length)return this.#n(e,n.mine);let a=await this.store.write.update(t,i);if(a.made)return this.#n(e,i);if(a.code!==`CONFLICT`)return J(a);let o=await this.#r(e);if(o)return o}return yi}#n(e,t){return this.store.draft(e,e=>{let n=e&&pi(e,t);return n&&!mi(n)?n:null}),null}async#r(e){try{return await this.store.follow.read(e)?null:vi}catch(e){return e instanceof Error?e.message:String(e)}}#i(e,t){let n=this.#e.get(e)??t().finally(()=>this.#e.delete(e));return this.#e.set(e,n),n}};function xi(e,t,n){return!n&&e.tasks.size!==t.totalCount?!1:t.nodes.every(({id:t,version:n})=>(e.tasks.get(t)?.version??0)>=n)}function Si(e,t,n){return{least:e-n,most:e-t}}function Ci(e,t){if(!e)return t;let n={least:Math.max(e.least,t.least),most:Math.min(e.most,t.most)};return n.least<=n.most?n:t}function wi(e,t,n){if(!n)return{milliseconds:t-e,give:null};let r=Math.max(0,t-e+n.least),i=Math.max(r,t-e+n.most);return{milliseconds:(r+i)/2,give:(i-r)/2}}var Ti={phase:`CONNECTING`,connections:0,gaps:0,cursor:null,latency:null,why:null,since:null,replay:null};function Ei(e,t){let n=e.since===null?null:Pi(e,e.since,t),r=n?`CATCHING_UP`:`LIVE`;return{...e,phase:r,replay:n,connections:e.connections+1,why:null,since:null}}function Di(e,t,n,r){if(e.phase===`OVER`)return e;let i=e.phase===`CATCHING_UP`&&e.replay?e.replay.since:n;return{...e,phase:r?`STOPPED`:`AWAY`,why:t,since:e.since??i}}function Oi(e,t){return{...e,phase:`OVER`,why:t}}function ki(e,t,n,r){let i=Y(t.cursor),a=e.replay&&Fi(e.replay,i),o=a!==e.replay;return{...e,replay:a,cursor:t.cursor,latency:o?e.latency:wi(Date.parse(t.at),n,r)}}function Ai(e,t){return e.cursor!==null&&Nr(Y(t),Y(e.cursor))?e:{...e,cursor:t}}function ji(e,t){let n=t===null?null:Y(t);if(!e.replay||e.replay.head||!n)return e;let r=e.replay.count+e.replay.early.filter(e=>Nr(e,n)).length;return{...e,replay:{...e.replay,head:n,early:[],count:r}}}function Mi(e){return e.phase===`CATCHING_UP`?{...e,phase:`LIVE`}:e}function Ni(e){return{...e,gaps:e.gaps+1}}function Pi({replay:e},t,n){let r=e?.since===t?e:null;return{since:t,back:n,head:null,early:r?.early??[],count:r?.count??0}}function Fi(e,t){return t?e.head?Nr(t,e.head)?{...e,count:e.count+1}:e:{...e,early:[...e.early,t]}:e}function Ii(e){let t=!1,n=()=>{t&&(t=!1,e())};return()=>{t||(t=!0,requestAnimationFrame(n),setTimeout(n,100))}}var Li=3e3,Ri=3;async function zi(e,t,n=()=>{}){let r=[],i=null,a=null;for(;;){let o=await Vi(e,t,a);r.push(...o.nodes),i??=o.streamCursor;let s=o.pageInfo.hasNextPage&&r.length>=3e3;if(s||!o.pageInfo.hasNextPage)return{tasks:r,cursor:i,partial:s};n(o.nodes),a=o.pageInfo.endCursor}}async function Bi(e,t,n){let r=[],i=null;for(let a=0;a<Ri;a++){let a=await Vi(e,t,i,n);if(r.push(...a.nodes),!a.pageInfo.hasNextPage)break;i=a.pageInfo.endCursor}return r}async function Vi(e,t,n,r){return t===null?(await e.ask(Vn,{after:n,...r&&{filter:r}})).tasks:(await e.ask(Bn,{after:n,filter:{...r,projectId:t}})).tasks}function Hi(e,t){let n=new Map;for(let{id:e,version:r}of t.tasks)n.set(e,Math.max(r,n.get(e)??0));let r=new Set;for(let[t,i]of n){let n=e.tasks.get(t);(!n||n.version<i)&&r.add(t)}if(!t.partial)for(let t of e.tasks.keys())n.has(t)||r.add(t);return r}function Ui(e,t,n){let r=t.tasks.filter(({id:e})=>n.has(e)),i=new Set([...e.gone,...n]);for(let{id:e}of r)i.delete(e);let a=[...e.tasks].filter(([e])=>!i.has(e));return X({...e,tasks:new Map(a),gone:i},r)}var Wi=5;async function Gi(e,t){let n=[],r=null;for(;;){let i=await e.ask(Rn,{key:t,after:r});if(!i.project)return null;let{nodes:a,pageInfo:o}=i.project.labels;if(n.push(...a),!o.hasNextPage)return{...i.project,labels:n};r=o.endCursor}}async function Ki(e){let t=[],n=!1,r=null;for(let i=0;i<Wi;i++){let{me:i,projects:a}=await e.ask(Ln,{after:r});if(n=i?.viewerCanCreateProjects??!1,t.push(...a.nodes),!a.pageInfo.hasNextPage)break;r=a.pageInfo.endCursor}return{projects:t,canCreateProjects:n}}function qi({viewerCanUpdate:e,viewerCanArchive:t,viewerCanDelete:n}){return e||t||n}function Ji(e,t){return{...e,labels:[...t].sort((e,t)=>e.name.localeCompare(t.name))}}function Yi(e,t){return!e||!e.isArchived&&(t||e.viewerRole===`MEMBER`||e.viewerRole===`MANAGER`)}var Xi=new Set([`RANKS`,`ARCHIVED`,`REOPENED`]);function Zi(e){let t=e.flatMap(e=>`projectChange`in e?[e]:[]),n=t.map(({projectChange:e})=>e),r=t=>e.some(({__typename:e})=>e===t);return{project:n.length>0||r(`ProjectRoleChanged`),tasks:n.some(e=>Xi.has(e))||r(`ProjectRoleChanged`),members:r(`MemberChanged`)||r(`ProjectRoleChanged`),deletedLabels:t.flatMap(({projectChange:e,labelId:t})=>e===`LABEL_DELETED`&&t?[t]:[]),gone:r(`ProjectGone`)||n.includes(`DELETED`),comments:e.flatMap(({__typename:e,taskId:t})=>e===`CommentChanged`&&t!==null?[t]:[])}}function Qi(e,t){if(e===null||!t.task||t.taskId===null||$i(t.task,e))return t;let{cursor:n,at:r,taskId:i}=t;return{__typename:`TaskGone`,cursor:n,at:r,taskId:i,task:null}}function $i({project:e},t){return e?.id===t}var ea=class{store;lose;#e=0;#t=0;constructor(e,t){this.store=e,this.lose=t}async read(){if(this.store.projectKey===null)return;let e=++this.#e,t,n;do if(t=this.#t,n=await Gi(this.store.api,this.store.projectKey),e!==this.#e)return;while(t!==this.#t);n?this.#n(n):this.lose()}learn(e){let{project:t}=this.store.state;t?.id!==e.id||t.version>=e.version||(this.#t++,this.#n({...t,...e}))}learnLabel(e){let{project:t}=this.store.state,n=t?.labels.find(({id:t})=>t===e.id);!t||n&&n.version>=e.version||(this.#t++,this.store.set({project:Ji(t,[...t.labels.filter(e=>e!==n),e])}))}forgetLabel(e){this.#t++,this.store.set(({board:t,project:n})=>({board:Vr(t,e),project:n&&Ji(n,n.labels.filter(t=>t.id!==e))}))}end(){this.#e++}#n(e){this.store.set(({projects:t,board:n})=>({project:e,projects:t&&t.map(t=>t.id===e.id?e:t),board:Br(n,e)})),e.key!==this.store.projectKey&&this.store.rename(e.key)}},ta=1e3,na=50,ra=300,ia=1e4,aa=3,oa=class{store;#e=[];#t=!1;#n=!1;#r=0;#i=!1;#a=()=>{};project;#o=Ii(()=>this.#m());constructor(e){this.store=e,this.project=new ea(e,()=>this.#u())}async start(){if(this.readProjects(),!await this.#c())return;let e=await this.#C(()=>zi(this.store.api,this.#s,e=>this.store.set(({board:t})=>({board:X(t,e)}))));!e||this.#t||(this.#y(e,X(this.store.state.board,e.tasks,Y(e.cursor))),this.#d(e.cursor))}async readProjects(){let e=await this.#C(()=>Ki(this.store.api));e&&this.store.set(e)}async read(e){let t=this.store.state.board,{api:n}=this.store,{task:r}=Zt(e)?await n.ask(Un,{key:e}):await n.ask(Hn,{id:e});if(!r)return!1;let i=this.store.projectKey===null||r.project?.id===this.#s;return i&&this.store.set(({board:e})=>({board:Lr(e,r,t)})),this.#f(e,r,i),!0}async readSubtasks(e){let t=null;do{let{task:n}=await this.store.api.ask(Wn,{id:e,after:t});if(!n)return;this.store.set(({board:e})=>({board:X(e,n.subtasks.nodes)})),t=n.subtasks.pageInfo.hasNextPage?n.subtasks.pageInfo.endCursor:null}while(t!==null)}end(){this.#t=!0,this.project.end(),this.#a()}drop(){this.store.api.reconnect()}stop(e){this.#n=!0,this.store.api.reconnect(e)}async compare(){if(this.store.state.comparison===`COMPARING`||this.store.state.missing)return;this.store.set({comparison:`COMPARING`});let e=null,t=null;for(let n=0;n<aa&&e?.length!==0;n++){if(n&&await ua(ta),t=await this.#C(()=>zi(this.store.api,this.#s)),!t)return;await ua(ta/4),this.#m();let r=Hi(this.store.state.board,t);e=(e??[...r]).filter(e=>r.has(e))}t&&(this.store.set({comparison:{tasks:t.tasks.length,differing:e?.length??0}}),e?.length&&(this.#w(Ni),this.store.set(({board:n})=>({board:Ui(n,t,new Set(e))}))))}async find(e){let t=this.store.state.partial&&zt(e,this.store.person.id);if(!t)return;await ua(ra);let n=this.store.state.board.resets;if(this.store.navigation.view.wanted!==e)return;let r=await this.#C(()=>Bi(this.store.api,this.#s,t).catch(la));r&&this.store.state.board.resets===n&&this.store.set(({board:e})=>({board:X(e,r)}))}connected(){this.#n=!1,this.#w(e=>Ei(e,Date.now())),this.store.state.standing.phase===`CATCHING_UP`&&this.#b()}lost(e){this.#r++,this.#w(t=>Di(t,e,Date.now(),this.#n))}stands(e){this.#w(t=>Ai(t,e))}ended(e){this.#w(t=>Oi(t,e))}async resync(e){this.readProjects(),await this.#l();let t=await this.#C(()=>zi(this.store.api,this.#s));if(!t)throw Error(`The board is closed.`);return this.#e=[],this.#y(t,Fr(this.store.state.board,t.tasks,t.cursor)),e!==`ACCESS`&&this.#w(Ni),this.store.notice(`DONE`,sa[e]??`The board was read again.`),t.cursor??void 0}get#s(){return this.store.state.project?.id??null}async#c(){return this.store.projectKey===null||(await this.#l(),!this.#t&&this.store.state.project!==null)}async#l(){await this.#C(()=>this.project.read())}#u(){this.#a(),this.store.set(({board:e})=>({missing:!0,loaded:!0,board:Fr(e,[],null)})),this.#w(e=>Oi(e,`The project is not there, or you may not see it.`)),this.readProjects()}#d(e){let{api:t}=this.store,n=e=>{e?this.#p(Qi(this.#s,e)):this.compare()};this.#a=this.#s===null?t.receive(Yn,{after:e},e=>n(e?.taskChanged)):t.receive(Xn,{projectId:this.#s,after:e},e=>n(e?.projectChanged))}#f(e,{id:t,project:n},r){let{navigation:i}=this.store;i.view.task!==e||r&&e===t||i.replace(e=>({...e,task:t,...!r&&{project:n?.key??null}}))}#p(e){let t=Date.now();this.#w(n=>ki(n,e,t,this.store.state.skew)),this.#e.push(e),this.#o()}#m(){let e=this.#e;if(e.length){this.#e=[],this.store.set(({board:t})=>({board:Ir(t,e)}));for(let t of e)this.#v(t);this.#h(e);for(let t of new Set(e.filter(ca).map(({taskId:e})=>e)))this.#C(()=>this.read(t));this.store.state.partial&&this.#_()}}#h(e){let t=Zi(e);if(t.gone)return this.#u();for(let e of t.deletedLabels)this.project.forgetLabel(e);t.project&&this.#l(),t.tasks&&this.#g(),t.members&&this.store.set(({membersSeen:e})=>({membersSeen:e+1}));for(let e of t.comments)this.commentsChanged(e)}commentsChanged(e){this.store.set(({commented:t})=>({commented:new Map(t).set(e,(t.get(e)??0)+1)}))}async#g(){let e=await this.#C(()=>zi(this.store.api,this.#s));e&&this.store.set(({board:t})=>({board:X(t,e.tasks)}))}#_(){this.#S();let{board:e,drafts:t,pendingChanges:n}=this.store.state,{task:r,wanted:i}=this.store.navigation.view,a=zr(e,Li,[...r?[r]:[],...t.keys(),...n.map(({taskId:e})=>e)]);a!==e&&(this.store.set({board:a}),this.find(i))}#v(e){if(e.__typename!==`TaskChanged`||e.taskId===null)return;let t=e.by?.username??`the operator`;t!==this.store.person.username&&this.store.touch(e.taskId,{by:t,what:Dr(e.changes)})}#y({partial:e,cursor:t},n){this.store.set({board:n,partial:e,loaded:!0}),t!==null&&this.#w(e=>Ai(e,t)),e&&this.#S()}async#b(){let e=this.#r,t=Date.now()+ia;for(;this.#x(e);){let n=await this.#C(()=>this.store.api.ask(Jn,{projectId:this.#s}));if(!n||!this.#x(e))return;this.#w(e=>ji(e,n.tasks.streamCursor));for(let t=0;t<ta;t+=na){if(this.#m(),xi(this.store.state.board,n.tasks,this.store.state.partial))return this.#w(Mi);if(await ua(na),!this.#x(e))return}if(Date.now()>t&&(await this.compare(),this.#x(e)))return this.#w(Mi)}}#x(e){return!this.#t&&this.#r===e}async#S(){if(this.#i)return;this.#i=!0,await ua(ta);let e=this.#s,t=e===null?{}:{projectId:e,isSubtask:!1},n=await this.#C(()=>this.store.api.ask(qn,t));if(this.#i=!1,!n)return;let{TODO:r,IN_PROGRESS:i,DONE:a,CANCELLED:o}=n;this.store.set({totals:{TODO:r.totalCount,IN_PROGRESS:i.totalCount,DONE:a.totalCount,CANCELLED:o.totalCount}})}async#C(e){let t=null;for(;;){if(this.#t)return null;try{let n=await e();return this.#w(e=>e.why===t?{...e,why:null}:e),n}catch(e){t=`${e instanceof Error?e.message:String(e)} Asking again …`,this.#w(e=>({...e,why:e.why??t})),await ua(ta)}}}#w(e){this.store.set(t=>({standing:e(t.standing)}))}},sa={ACCESS:`Your rights have changed, so the board was read again.`,TRIMMED:`You were away for longer than events are kept, so the board was read again.`,EPOCH:`The server's history was replaced, so the board was read again.`,FUTURE:`The server knows less than before, so the board was read again.`};function ca({__typename:e,taskId:t,task:n}){return t!==null&&!n&&e!==`TaskDeleted`&&e!==`TaskGone`}function la(e){if(e instanceof I&&!e.isTemporary)return null;throw e}var ua=e=>new Promise(t=>setTimeout(t,e));function da(e){let t=new Map;return{get size(){return t.size},run(n,r,i,a){let o=e?.state?.user?.id,s=t.get(n)??Promise.resolve(0),c=s.then(t=>{let n=Te(e?.state,o);if(n)throw n;return i(Math.max(r,t))}),l=c.then(a).catch(()=>null).then(e=>e??s);return t.set(n,l),l.then(()=>t.get(n)===l&&t.delete(n)),c}}}function fa(e,t,n,r=Object.is){let i=Object.keys(t).filter(n=>!r(e[n],t[n])).filter(e=>!r(t[e],n[e])),a=Object.fromEntries(i.map(e=>[e,t[e]]));return{merged:{...n,...a},changes:a,conflicts:i.filter(t=>!r(e[t],n[t]))}}function pa(e,t){return e?fa(e.base,e.mine,t):{merged:t,changes:{},conflicts:[]}}function ma(e,t,n,r){let{base:i,mine:a}=e??{base:r,mine:r};return{base:i[t]===a[t]?{...i,[t]:r[t]}:i,mine:{...a,[t]:n}}}function ha({base:e,mine:t},n,r,i){let a={[n]:r[n]};return{base:{...e,...a},mine:i===`MINE`?t:{...t,...a}}}function ga(e,t){let n={...e,base:{...e.base,...t}};return Object.keys(e.mine).every(e=>n.base[e]===n.mine[e])?void 0:n}var _a=e=>({field:null,text:e}),va=4,ya=`Choose a value for each field that another user changed, too. Then save again.`,ba=`Others keep changing this. Try again in a moment.`;async function xa(e){for(let t=0;t<va;t++){let t=e.edit(),n=e.theirs();if(!n)return _a(e.gone);if(!t)return null;let{changes:r,conflicts:i}=pa(t,n.fields);if(i.length)return _a(ya);let a=Object.keys(r).length===0,o=a?null:await e.send(r,n.version);if(!o)return e.settle(a?t.mine:r),null;if(o.code!==`CONFLICT`)return Ar(o,e.names);try{await e.read()}catch(e){return _a(e instanceof Error?e.message:String(e))}}return _a(ba)}var Sa=[`name`,`color`],Ca={name:`Name`,color:`Color`},wa={name:``,color:`#0b6e6e`};function Ta({name:e,color:t}){return{name:e,color:t}}function Ea({tasks:e}){let t=new Map;for(let{labels:n}of e.values())for(let{id:e}of n?.nodes??[])t.set(e,(t.get(e)??0)+1);return t}var Da=class{store;submitter;constructor(e,t){this.store=e,this.submitter=t}async create(e,t=()=>{}){let n={projectId:this.store.state.project.id,...e},r=await this.submitter.attempt(ur,n,({label:e})=>{e&&(this.store.follow.project.learnLabel(e),t(e.id))});return r||this.store.notice(`SAID`,`Created the label “${e.name.trim()}”.`),r&&Ar(r,Sa)}save(e,t,n){return xa({names:Sa,gone:`This label was deleted.`,edit:t,theirs:()=>{let t=this.#t(e);return t?{fields:Ta(t),version:t.version}:null},send:(t,n)=>this.submitter.attempt(dr,{id:e,...t,expectedVersion:n},({label:e})=>{e&&this.store.follow.project.learnLabel(e)}),read:()=>this.store.follow.project.read(),settle:n})}async remove({id:e,name:t,version:n}){let r={title:`Delete the label “${t}”?`,text:`${this.#e(e)} This cannot be undone.`,yes:`Delete`,no:`Cancel`};if(!await this.store.ask(r))return;let i=await this.submitter.attempt(fr,{id:e,expectedVersion:n});if(!i)return this.store.follow.project.forgetLabel(e),this.store.notice(`DONE`,`Deleted the label “${t}”.`);this.store.notice(`REFUSED`,`The label “${t}” was not deleted: ${J(i)}`),await this.store.follow.project.read().catch(()=>{})}#e(e){let{partial:t,board:n}=this.store.state;if(t)return`The tasks that have it lose it, and do not change otherwise.`;let r=Ea(n).get(e)??0;return r===0?`No task has it.`:r===1?`1 task has it and loses it, and does not change otherwise.`:`${r.toLocaleString(`en`)} tasks have it and lose it, and do not change otherwise.`}#t(e){return this.store.state.project?.labels.find(t=>t.id===e)}};function Oa(e,t){if(!t.length)return e;let n=new Map(e);for(let{taskId:e,patch:r}of t){let t=n.get(e);t&&(r?n.set(e,{...t,...r,pending:!0}):n.delete(e))}return n}var ka=[`name`,`key`,`description`],Aa={name:`Name`,key:`Key`,description:`Description`};function ja({name:e,key:t,description:n}){return{name:e,key:t,description:n}}var Ma=`This project was deleted, or you can no longer see it.`,Na=class{store;submitter;isDeleting=!1;#e=null;constructor(e,t){this.store=e,this.submitter=t}get edit(){return this.store.state.projectEdits.get(this.#n.id)}get isUnsaved(){return Object.keys(pa(this.edit,ja(this.#n)).changes).length>0}type(e,t){this.#r(n=>ma(n,e,t,ja(this.#n)))}decide(e,t){this.#r(n=>n&&ha(n,e,ja(this.#n),t))}forget(){this.#r(()=>void 0)}save(){return this.#e??=this.#t().finally(()=>this.#e=null),this.#e}async remove(e){let{id:t,key:n}=this.#n;this.isDeleting=!0;let r=await this.submitter.attempt(yr,{id:t,confirmKey:e});return this.isDeleting=!1,r?.path.includes(`confirmKey`)?{field:`confirmKey`,text:`Type ${n}: the project has tasks.`}:r?Ar(r,[]):(this.forget(),this.store.navigation.switchTo(null,{said:`Deleted the project ${n}.`,replacing:!0}),null)}async#t(){let{id:e}=this.#n;return xa({names:ka,gone:Ma,edit:()=>this.edit,theirs:()=>{let{project:e,missing:t}=this.store.state;return e&&!t?{fields:ja(e),version:e.version}:null},send:(t,n)=>this.submitter.attempt(_r,{id:e,...t,expectedVersion:n},({project:e})=>{e&&this.store.follow.project.learn(e)}),read:()=>this.store.follow.project.read(),settle:e=>this.#r(t=>t&&ga(t,e))})}get#n(){return this.store.state.project}#r(e){this.store.projectEdit(this.#n.id,e)}},Pa={board:Pr,pendingChanges:[],loaded:!1,partial:!1,totals:null,standing:Ti,skew:null,comparison:null,touched:new Map,notices:[],drafts:new Map,projectEdits:new Map,question:null,project:null,missing:!1,projects:null,canCreateProjects:!1,membersSeen:0,commented:new Map},Fa=class{store;submitter;write;constructor(e,t,n){this.store=e,this.submitter=t,this.write=n}async put(e,t,n,r){let i=this.store.tasks.get(e);if(!i)return;let a=this.write.refusal(i,t);if(a)return this.store.notice(`REFUSED`,a);let o=await this.#e(i,t,n);if(!o.made)return this.submitter.refuse(`“${i.title}” is back at its place`,o);let s=o.task?.version??i.version+1,c=t===i.status?`Moved “${i.title}” within ${q[t]}.`:`Moved “${i.title}” to ${q[t]}.`;this.write.offerUndo(c,()=>this.#t(i,t,r,s))}async step(e,t,n){let r=this.store.tasks.get(t);if(!r)return;let i=this.write.refusal(r,r.status);if(i)return this.store.notice(`REFUSED`,i);let a=kt(e,t,n);if(!a)return this.store.notice(`SAID`,`“${r.title}” is ${n<0?`first`:`last`} in ${q[r.status]}.`);this.write.forgetUndo();let o=e.findIndex(e=>e.id===t)+n+1,s=await this.#e(r,r.status,a);if(!s.made)return this.submitter.refuse(`“${r.title}” is back at its place`,s);this.store.notice(`SAID`,`“${r.title}” is at place ${o} of ${e.length} in ${q[r.status]}.`)}#e(e,t,n){let{id:r}=e,i=Ot(n,e=>this.store.tasks.get(e)?.rank),a={status:t,...i!==void 0&&{rank:i}},o={id:r,...t!==e.status&&{status:t},...At(n)};return this.submitter.pending(r,a,()=>this.submitter.changes.change(or,o,e.version))}async#t(e,t,n,r){let i=e.rank,a=await this.submitter.pending(e.id,{status:e.status,rank:i},async()=>{let i=await this.write.sendBack({task:e,to:t,version:r});if(!i.made)return i;let a={id:e.id,...At(n)};return this.submitter.changes.change(or,a,i.task?.version??r)});a.made?this.store.notice(`DONE`,`Moved “${e.title}” back to its place in ${q[e.status]}.`):this.submitter.refuse(`“${e.title}” stays in ${this.write.whereabouts(e)}`,a)}},Ia=class{api;now;#e;constructor(e,t=()=>Date.now()){this.api=e,this.now=t,this.#e=da(e.session)}create(e,t){return this.#t(e,t,0).catch(La)}change(e,t,n){return this.#e.run(t.id,n,n=>this.#t(e,{...t,expectedVersion:n},n),e=>e.made?e.task?.version:null).catch(La)}async#t(e,t,n){let r=this.now(),{result:i}=await this.api.ask(e,{input:t},{idempotencyKey:!0}),[a]=i?.userErrors??[];if(a)return{made:!1,code:a.code,message:a.message};let o=i?.task??null;return{made:!0,task:o,skew:o?.version===n+1?Si(Date.parse(o.updatedAt),r,this.now()):null}}};function La(e){return{made:!1,code:`FAILED`,message:e instanceof Error?e.message:String(e)}}var Ra=class{store;changes;#e=0;constructor(e){this.store=e,this.changes=new Ia(e.api)}pending(e,t,n){let r=this.store.state.board;return this.showing({[e]:t},async()=>{let e=await n();return this.take(e,r),e})}async showing(e,t){let n=`${++this.#e}`,r=Object.entries(e).map(([e,t])=>({key:n,taskId:e,patch:t}));this.store.set(({pendingChanges:e})=>({pendingChanges:[...e,...r]}));try{return await t()}finally{this.store.set(({pendingChanges:e})=>({pendingChanges:e.filter(e=>e.key!==n)}))}}take(e,t){if(!e.made||!e.task)return;let{task:n,skew:r}=e;this.store.set(({board:e,skew:i})=>({board:Lr(e,n,t),skew:r?Ci(i,r):i}))}refuse(e,t){this.store.notice(`REFUSED`,`${e}: ${J(t)}`)}async request(e,t,n){let r=await this.attempt(e,t,n);return r?r.code===`FAILED`?r.message:jr(r.message):null}async attempt(e,t,n){try{let{result:r}=await this.store.api.ask(e,{input:t},{idempotencyKey:!0}),[i]=r?.userErrors??[];return i||(r&&n?.(r),null)}catch(e){return{code:`FAILED`,message:e instanceof Error?e.message:String(e),path:[]}}}},za=class{store;submitter;constructor(e,t){this.store=e,this.submitter=t}async archive(e){let{id:t,key:n,version:r}=this.#e,i={title:`Archive ${n}?`,text:`Tasks in an archived project cannot be changed. A manager can reopen it.`,yes:`Archive`,no:`Cancel`};if(e&&!await this.store.ask(i))return;let a={id:t,isArchived:e,expectedVersion:r},o=await this.submitter.attempt(vr,a,({project:e})=>{e&&this.store.follow.project.learn(e)});o?this.store.notice(`REFUSED`,`${n} was not ${e?`archived`:`reopened`}: ${J(o)}`):this.store.notice(`DONE`,`${n} is ${e?`archived`:`active again`}.`),o?.code===`CONFLICT`&&await this.store.follow.project.read().catch(()=>{}),this.store.follow.readProjects()}async create(e){let t=await this.submitter.attempt(gr,e,({project:e})=>{e&&this.store.navigation.switchTo(e.key)});return t&&Ar(t,ka)}add(e,t){return this.#t(this.submitter.request(br,{projectId:this.#e.id,userId:e,role:t}))}setRole(e,t){return this.#t(this.submitter.request(xr,{projectId:this.#e.id,userId:e,role:t}))}remove(e){return this.#t(this.submitter.request(Sr,{projectId:this.#e.id,userId:e}))}async leave(){let{id:e,key:t}=this.#e,n={title:`Leave ${t}?`,text:`You no longer see its tasks then. A manager can add you again.`,yes:`Leave`,no:`Cancel`};return await this.store.ask(n)?this.submitter.request(Cr,{projectId:e},()=>this.store.navigation.switchTo(null)):null}get#e(){return this.store.state.project}async#t(e){let t=await e;return this.store.set(({membersSeen:e})=>({membersSeen:e+1})),t}},Ba=`You can move only tasks that are your own or assigned to you.`,Va=`You can move tasks of this project only as its member, while it is not archived.`,Ha=class{store;submitter;#e=null;#t=Promise.resolve();constructor(e,t){this.store=e,this.submitter=t}async create(e,t=!1){let n=this.store.state.board,r=this.store.state.project?.id??null,i=await this.submitter.changes.create(er,{...e,projectId:r});return this.submitter.take(i,n),i.made&&!t&&this.store.notice(`DONE`,`Created “${e.title.trim()}”.`),i}createIn(e,t,n=null){let r=this.#t.then(()=>this.#n(e,t,n));return this.#t=r,r}async#n(e,t,n){let r=await this.create({title:t,...n!==null&&{parentId:n}},!0);if(!r.made)return J(r);this.store.notice(`SAID`,`Created “${t.trim()}”.`);let{task:i}=r;if(!i||e===`TODO`)return null;let a=await this.submitter.pending(i.id,{status:e},()=>this.#i(i.id,e,i.version));return a.made?null:`“${i.title}” is in ${q.TODO}: ${J(a)}`}async move(e,t){let n=this.store.tasks.get(e);if(!n||n.status===t)return;let r=this.refusal(n,t);if(r)return this.store.notice(`REFUSED`,r);let i=await this.submitter.pending(e,{status:t},()=>this.#i(e,t,n.version));if(!i.made)return this.submitter.refuse(`“${n.title}” is back in ${this.whereabouts(n)}`,i);let a={task:n,to:t,version:i.task?.version??n.version+1};this.offerUndo(`Moved “${n.title}” to ${q[t]}.`,()=>this.#r(a))}async step(e,t){let n=this.store.tasks.get(e);if(!n)return;if(!n.viewerCanUpdateStatus)return this.refuseMove();let r=qr(n.status,t);if(r)return this.move(e,r);let i=t<0?`left`:`right`;this.store.notice(`REFUSED`,`From ${q[n.status]} there is no move to the ${i}.`)}refuseMove(){this.store.notice(`REFUSED`,this.#a())}async undo(){let e=this.#e;if(!e)return this.store.notice(`DONE`,`There is no move to undo.`);this.#e=null,this.store.withdrawUndo(),await e()}offerUndo(e,t){this.store.withdrawUndo(),this.#e=t,this.store.notice(`DONE`,e,()=>void this.undo())}forgetUndo(){this.#e=null,this.store.withdrawUndo()}async assign(e,t){let n=this.store.tasks.get(e);if(!n)return;let r=await this.submitter.pending(e,{assignee:t},()=>this.submitter.changes.change(rr,{id:e,assigneeId:t?.id??null},n.version));r.made?this.store.notice(`SAID`,`Assigned “${n.title}” to ${t?.username??`nobody`}.`):this.submitter.refuse(`“${n.title}” was not assigned`,r)}async setLabels(e,t){let n=this.store.tasks.get(e);if(!n)return;let r={nodes:t.map(e=>({id:e}))},i=await this.submitter.pending(e,{labels:r},()=>this.submitter.changes.change(cr,{id:e,labelIds:[...t]},n.version));i.made||this.submitter.refuse(`The labels of “${n.title}” are as before`,i)}async detach(e){let t=this.store.tasks.get(e);if(!t)return;let n=await this.submitter.pending(e,{parent:null},()=>this.submitter.changes.change(lr,{id:e,parentId:null},t.version));n.made?this.store.notice(`DONE`,`“${t.title}” is no longer a subtask.`):this.submitter.refuse(`“${t.title}” is still a subtask`,n)}update(e,t){return this.submitter.pending(e.id,t,()=>this.submitter.changes.change(tr,{id:e.id,...t},e.version))}async remove(e){let t=await this.submitter.pending(e.id,null,()=>this.submitter.changes.change(ir,{id:e.id},e.version));if(!t.made)return this.submitter.refuse(`“${e.title}” was not deleted`,t);this.store.set(({board:t})=>({board:Rr(t,e.id)})),this.offerUndo(`Deleted “${e.title}”.`,async()=>void await this.restore(e.id,e.title))}async restore(e,t){let n=await this.submitter.changes.create(ar,{id:e});return n.made?this.store.notice(`DONE`,`Restored “${t}”.`):this.submitter.refuse(`“${t}” was not restored`,n),n.made}refusal(e,t){return e.viewerCanUpdateStatus?e.status===t||Z(e.status,t)?null:`A task cannot go from ${q[e.status]} to ${q[t]}.`:this.#a()}whereabouts(e){return q[(this.store.state.board.tasks.get(e.id)??e).status]}async sendBack({task:e,to:t,version:n}){let r={made:!0,task:null,skew:null};for(let i of Jr(t,e.status))if(r=await this.#i(e.id,i,r.made?r.task?.version??n:n),!r.made)break;return r}async#r(e){let{id:t,title:n,status:r}=e.task,i=await this.submitter.pending(t,{status:r},()=>this.sendBack(e));i.made?this.store.notice(`DONE`,`Moved “${n}” back to ${q[r]}.`):this.submitter.refuse(`“${n}” stays in ${this.whereabouts(e.task)}`,i)}#i(e,t,n){return this.submitter.changes.change(nr,{id:e,status:t},n)}#a(){return this.store.projectKey===null?Ba:Va}},Ua=4e3,Wa=class{person;navigation;projectKey;state;api;follow;write;place;collect;submit;team;labels;settings;edit;comments=new Map;dialog=null;#e;#t;#n=new Set;#r=0;#i=0;#a=null;#o=Ii(()=>this.#n.forEach(e=>e()));constructor(e,t,n,r=null){this.person=t,this.navigation=n,this.projectKey=r,this.#e=new kn(t.id),this.#t=An(t.id),this.state={...Pa,drafts:this.#e.read(),projectEdits:this.#t.read()},this.follow=new oa(this),this.api=In(e,this.follow),this.submit=new Ra(this),this.write=new Ha(this,this.submit),this.place=new Fa(this,this.submit,this.write),this.collect=new Xr(this,this.submit,this.write),this.team=new za(this,this.submit),this.labels=new Da(this,this.submit),this.settings=new Na(this,this.submit),this.edit=new bi(this),n.guard=()=>this.#s(),n.names={nameOf:e=>this.state.board.tasks.get(e)?.key??e,idOf:e=>Zt(e)?this.#d(e)?.id??e:e},n.arrival?.said&&this.notice(`DONE`,n.arrival.said)}subscribe=e=>(this.#n.add(e),()=>this.#n.delete(e));set(e){this.state={...this.state,...typeof e==`function`?e(this.state):e},this.#o()}get tasks(){let{board:e,pendingChanges:t}=this.state,n=this.#a;return n?.state.board.tasks===e.tasks&&n.state.pendingChanges===t?n.tasks:(this.#a={state:this.state,tasks:Oa(e.tasks,t)},this.#a.tasks)}notice(e,t,n){let r={id:++this.#r,kind:e,text:t,...n&&{undo:n}};this.set(({notices:e})=>({notices:[...e.slice(-2),r]}))}rename(e){let t=this.projectKey;this.projectKey=e,this.navigation.rename(t,e)}withdrawUndo(){this.set(({notices:e})=>({notices:e.filter(({undo:e})=>!e)}))}dismiss(e){this.set(({notices:t})=>({notices:t.filter(t=>t.id!==e)}))}ask(e){return this.state.question?.answer(!1),new Promise(t=>{let n=++this.#i,r=e=>{this.state.question?.id===n&&this.set({question:null}),t(e)};this.set({question:{...e,id:n,answer:r}})})}draft(e,t){let n=new Map(this.state.drafts),r=t(n.get(e));r?n.set(e,r):n.delete(e),this.set({drafts:n}),this.#e.write(n)}projectEdit(e,t){let n=new Map(this.state.projectEdits),r=t(n.get(e));r?n.set(e,r):n.delete(e),this.set({projectEdits:n}),this.#t.write(n)}get isUnsaved(){if(this.dialog?.isUnsaved())return!0;let e=this.state.drafts.get(this.#f()??``),t=this.state.board.tasks.get(this.navigation.view.task??``);return!!e&&di(e,t?ni(t):e.base)}async close(){await this.#s()&&this.navigation.close()}async mayLeaveDialog(){return this.#c()}async show(e){await this.#s()&&this.navigation.replace(t=>({...t,task:e,creating:!1}))}async leaveFor(e){await this.#s()&&this.navigation.push(e)}#s(){let e=this.#f();return e===null?this.#c():this.isUnsaved?this.#l(e):(this.state.drafts.has(e)&&this.draft(e,()=>null),!0)}#c(){let{dialog:e}=this;return!e?.isUnsaved()||this.#u(()=>e.forget())}#l(e){return this.#u(()=>this.draft(e,()=>null))}async#u(e){let t=await this.ask({title:`Discard your changes?`,text:`What you have typed is not saved.`,yes:`Discard`,no:`Keep editing`});return t&&e(),t}touch(e,t){this.set(({touched:n})=>({touched:new Map(n).set(e,t)})),setTimeout(()=>{if(this.state.touched.get(e)!==t)return;let n=new Map(this.state.touched);n.delete(e),this.set({touched:n})},Ua)}end(){this.navigation.guard=()=>!0,this.follow.end(),this.api.end()}forgetDrafts(){this.#e.write(new Map),this.#t.write(new Map)}#d(e){return[...this.state.board.tasks.values()].find(t=>t.key===e.toUpperCase())}#f(){let{task:e,creating:t}=this.navigation.view;return t?`new`:e}};function Ga(e){let t=new Map;for(let{parent:n,status:r}of e){if(!n)continue;let e=t.get(n.id)??{done:0,all:0};e.all++,r===`DONE`&&e.done++,t.set(n.id,e)}return t}function Ka(e,t){return[...e].filter(({parent:e})=>e?.id===t).sort(Et)}var qa=Symbol.for(`pv`),Ja=0;Array.isArray;function Q(t,n,r,i,a,o){n||={};var s,c,l=n;if(`ref`in l&&typeof t!=`function`)for(c in l={},n)c==`ref`?s=n[c]:l[c]=n[c];var u={type:t,props:l,key:r,ref:s,__k:null,__:null,__b:0,__e:null,__c:null,constructor:qa,__v:--Ja,__i:-1,__u:0};return(a||o)&&(u.__source=a,u.__self=o),e.vnode&&e.vnode(u),u}var Ya={TODO:``,IN_PROGRESS:`M8 5.6v4.8a2.4 2.4 0 0 0 0-4.800Z`,DONE:`M5.4 8.200l1.9 1.9 3.5-4`,CANCELLED:`M6 6l4 4m0-4-4 4`};function Xa({status:e}){return Q(`svg`,{class:`status-icon ${e}`,viewBox:`0 0 16 16`,width:`16`,height:`16`,"aria-hidden":`true`,children:[Q(`circle`,{cx:`8`,cy:`8`,r:`6.2`}),Q(`path`,{d:Ya[e]})]})}function Za(){return Q(`svg`,{viewBox:`0 0 16 16`,width:`16`,height:`16`,"aria-hidden":`true`,fill:`currentColor`,children:[Q(`circle`,{cx:`3`,cy:`8`,r:`1.4`}),Q(`circle`,{cx:`8`,cy:`8`,r:`1.4`}),Q(`circle`,{cx:`13`,cy:`8`,r:`1.4`})]})}function Qa(){return Q(`svg`,{class:`lock`,viewBox:`0 0 16 16`,width:`12`,height:`12`,"aria-hidden":`true`,children:Q(`path`,{d:`M4 7h8v6H4zM5.5 7V5a2.5 2.5 0 0 1 5 0v2`})})}function $a(){return Q(`svg`,{class:`line-icon`,viewBox:`0 0 16 16`,width:`13`,height:`13`,"aria-hidden":`true`,children:Q(`path`,{d:`M2.500 8.500l2 2 3.500-4M10 5h4M10 10.500h4`})})}function eo(){return Q(`svg`,{class:`line-icon`,viewBox:`0 0 16 16`,width:`13`,height:`13`,"aria-hidden":`true`,children:Q(`path`,{d:`M2.500 3.500h11v7.500H7l-3 2.500v-2.500H2.500z`})})}function to(){return Q(`svg`,{class:`chevron`,viewBox:`0 0 16 16`,width:`12`,height:`12`,"aria-hidden":`true`,children:Q(`path`,{d:`M4 6l4 4 4-4`})})}var no=`#000000`,ro=`#ffffff`;function io(e){let t=oo(e);return ao(t,oo(no))>=ao(t,oo(ro))?no:ro}function ao(e,t){return(Math.max(e,t)+.05)/(Math.min(e,t)+.05)}function oo(e){let[t,n,r]=[1,3,5].map(t=>so(parseInt(e.slice(t,t+2),16)/255));return .2126*t+.7152*n+.0722*r}function so(e){return e<=.04045?e/12.92:((e+.055)/1.055)**2.4}function co({label:{name:e,color:t}}){return Q(`span`,{class:`chip`,style:{background:t,color:io(t)},children:e})}function lo(e){return class extends x{shouldComponentUpdate(e){return Object.keys(e).some(t=>e[t]!==this.props[t])}render(){return v(e,this.props)}}}var uo=[[`day`,864e5],[`hour`,36e5],[`minute`,6e4]],fo=new Intl.RelativeTimeFormat(`en`,{numeric:`auto`}),po=new Intl.DateTimeFormat(void 0,{day:`numeric`,month:`short`}),mo=new Intl.DateTimeFormat(void 0,{day:`numeric`,month:`short`,year:`numeric`}),ho=new Intl.DateTimeFormat(void 0,{dateStyle:`medium`,timeStyle:`medium`});function go(e,t){let n=Date.parse(e)-t,r=uo.find(([,e])=>Math.abs(n)>=e);return r?fo.format(Math.round(n/r[1]),r[0]):`just now`}function _o(e,t){let n=new Date(e);return(n.getFullYear()===new Date(t).getFullYear()?po:mo).format(n)}function vo(e){return ho.format(new Date(e))}function yo(e){return e<1e3?`${Math.round(e)} ms`:e<1e4?`${(e/1e3).toFixed(1)} s`:e<12e4?`${Math.round(e/1e3)} s`:`${Math.round(e/6e4)} min`}function bo(e){if(e===null)return``;let t=new Date(e),n=new Date(t.getTime()-t.getTimezoneOffset()*6e4);return So(n)?n.toISOString().slice(0,16):``}function xo(e){let t=new Date(e);return So(t)?t.toISOString():null}function So(e){return e.getUTCFullYear()>=0&&e.getUTCFullYear()<=9999}var Co=`Enter M X Shift+ArrowLeft Shift+ArrowRight`,wo=lo(({task:e,touch:t,tabbable:n,today:r,labels:i,subtasks:a,done:o,selected:s,marked:c,isManual:l})=>{let u=e.viewerCanUpdateStatus,d=[`card`,e.priority,e.pending&&`pending`,t&&`touched`,s&&`selected`,c&&`insert`].filter(Boolean).join(` `),f=e.labels?.nodes.flatMap(({id:e})=>i.get(e)??[])??[],p=l?`${Co} Shift+ArrowUp Shift+ArrowDown`:Co;return Q(`li`,{class:d,draggable:u,"data-task":e.id,children:[Q(`div`,{class:`open`,role:`button`,tabIndex:n?0:-1,"aria-haspopup":`dialog`,"aria-keyshortcuts":u?p:`Enter`,children:[e.key&&Q(`span`,{class:`key`,children:e.key}),Q(`span`,{class:`title`,children:e.title}),f.length>0&&Q(`span`,{class:`labels`,children:f.map(e=>Q(co,{label:e},e.id))}),Q(`span`,{class:`facts`,children:[e.priority!==`MEDIUM`&&Q(`span`,{class:`priority ${e.priority}`,children:wr[e.priority]}),e.dueAt&&Q(Do,{task:e,dueAt:e.dueAt,today:r}),a>0&&Q(To,{done:o,all:a}),e.commentCount>0&&Q(Eo,{count:e.commentCount}),!u&&Q(`span`,{class:`reading`,children:[Q(Qa,{}),` read only`]}),t&&Q(`span`,{class:`touch`,children:[t.by,` `,t.what]})]}),e.assignee&&Q(ko,{name:e.assignee.username})]}),u&&s!==null&&Q(`input`,{type:`checkbox`,class:`select`,checked:s,"aria-label":`Select “${e.title}”`,tabIndex:n?0:-1}),u&&Q(`button`,{class:`more`,tabIndex:n?0:-1,"aria-haspopup":`menu`,"aria-label":`Move “${e.title}”`,children:Q(Za,{})})]})});function To({done:e,all:t}){return Q(`span`,{class:`fact`,children:[Q($a,{}),` `,Q(`span`,{"aria-hidden":`true`,children:[e,`/`,t]}),Q(`span`,{class:`visually-hidden`,children:[e,` of `,t,` subtasks done`]})]})}function Eo({count:e}){return Q(`span`,{class:`fact`,children:[Q(eo,{}),` `,e,Q(`span`,{class:`visually-hidden`,children:[` `,e===1?`comment`:`comments`]})]})}function Do({task:e,dueAt:t,today:n}){let r=(e.status===`TODO`||e.status===`IN_PROGRESS`)&&Date.parse(t)<n;return Q(`time`,{class:r?`due late`:`due`,dateTime:t,title:`Due ${vo(t)}`,children:[r?`overdue since`:`due`,` `,_o(t,n)]})}var Oo=12;function ko({name:e}){return Q(`span`,{class:`avatar hue-${[...e].reduce((e,t)=>(e*31+t.charCodeAt(0))%997,7)%Oo}`,role:`img`,"aria-label":`assigned to ${e}`,title:`Assigned to ${e}`,children:e.slice(0,2)})}var Ao=200;function jo({name:e,onAdd:t}){let[n,r]=V(!1),[i,a]=V(``),o=W(null),s=W(null);U(()=>s.current?.focus(),[n]);let c=async e=>{let n=e.value.trim();if(!n)return;e.value=``,a(``);let r=await t(n);r!==null&&(a(r),e.value||=n)},l=()=>{r(!1),a(``),queueMicrotask(()=>o.current?.focus())};return n?Q(`div`,{class:`quick-add`,children:[Q(`input`,{ref:s,maxLength:Ao,placeholder:`Title`,"aria-label":`Title of a new task in ${e}`,"aria-keyshortcuts":`Enter Escape`,autocomplete:`off`,onKeyDown:e=>{e.isComposing||(e.key===`Enter`&&c(e.currentTarget),e.key===`Escape`&&l())},onBlur:e=>e.currentTarget.value.trim()||i||r(!1)}),Q(`p`,{class:`problem`,role:`alert`,children:i})]}):Q(`button`,{ref:o,class:`quiet quick-add`,onClick:()=>r(!0),children:[Q(`span`,{"aria-hidden":`true`,children:`+ `}),`Add task`,Q(`span`,{class:`visually-hidden`,children:[` to `,e]})]})}var Mo=40,No=lo(e=>{let{status:t,tasks:n,total:r,wanted:i,loaded:a,touched:o,current:s,today:c}=e,{drop:l,spot:u,isManual:d,labels:f,progress:p,selected:m,onAdd:h}=e,[g,_]=Po(i),v=Rt(i),y=n.length>g?n.slice(0,g):n,b=y.some(({id:e})=>e===s)?s:y[0]?.id,x=q[t],S=r?.toLocaleString(`en`)??`…`,C=v?`${n.length} of ${S}`:S;return Q(`section`,{class:`column`,"data-status":t,"data-drop":l??void 0,"aria-labelledby":`heading-${t}`,children:[Q(`h2`,{id:`heading-${t}`,tabIndex:-1,children:[Q(Xa,{status:t}),Q(`span`,{"aria-hidden":`true`,children:x}),Q(`span`,{class:`visually-hidden`,children:[x,`: `,C,` `,C===`1`?`task`:`tasks`]}),Q(`span`,{class:`count`,"aria-hidden":`true`,children:C})]}),l===`REFUSED`&&Q(`p`,{class:`refuses`,"aria-hidden":`true`,children:`Cannot be moved here`}),Q(`div`,{class:`scroller`,children:[n.length>0&&Q(`ul`,{"aria-label":x,class:u&&u.before===null?`insert-last`:void 0,children:y.map(e=>Q(wo,{task:e,touch:o.get(e.id),tabbable:e.id===b,today:c,labels:f,isManual:d,marked:u?.before===e.id,subtasks:p?p.get(e.id)?.all??0:e.subtaskCount,done:p?p.get(e.id)?.done??0:e.doneSubtaskCount,selected:m.size?m.has(e.id):null},e.id))}),n.length>g&&Q(Fo,{rest:n.length-g,onMore:_}),!n.length&&a&&Q(`p`,{class:`empty`,children:v?`Nothing matches.`:Io[t]})]}),h&&Q(jo,{name:x,onAdd:e=>h(t,e)})]})});function Po(e){let[{most:t,of:n},r]=V({most:Mo,of:e});return[n===e?t:Mo,()=>r(t=>({most:(t.of===e?t.most:Mo)+Mo,of:e}))]}function Fo({rest:e,onMore:t}){let n=W(null);return H(()=>{let e=n.current.closest(`.scroller`),r=new IntersectionObserver(e=>e.some(e=>e.isIntersecting)&&t(),{root:e,rootMargin:`800px`});return r.observe(n.current),()=>r.disconnect()}),Q(`button`,{ref:n,class:`show-more`,onClick:t,children:[`Show more (`,e,`)`]})}var Io={TODO:`No tasks to do.`,IN_PROGRESS:`No tasks in progress.`,DONE:`No tasks done yet.`,CANCELLED:`No cancelled tasks.`};function Lo(e){return e instanceof Element?e.closest(`[data-task]`):null}function Ro(e){return e instanceof Element?e.closest(`[data-status]`):null}function zo(e){return Ro(e)?.dataset.status??null}function Bo(e,t){return L[L.indexOf(e)+t]??null}function Vo(e,t){let n=Ko(e.parentElement),r=n.indexOf(e);switch(t){case`ArrowDown`:return n[r+1]??null;case`ArrowUp`:return n[r-1]??null;case`Home`:return n[0]??null;case`End`:return n.at(-1)??null;case`ArrowLeft`:return Go(e,r,-1);case`ArrowRight`:return Go(e,r,1);default:return null}}function Ho(e){e?.querySelector(`.open`)?.focus()}function Uo(e){return document.querySelector(`[data-task="${CSS.escape(e)}"]`)}function Wo(e){let t=Ko(e.parentElement),n=t.indexOf(e);return[...t.slice(n),...t.slice(0,n).reverse()].map(e=>e.dataset.task)}function Go(e,t,n){for(let r=Bo(zo(e),n);r;r=Bo(r,n)){let e=Ko(document.querySelector(`[data-status=${r}]`));if(e.length)return e[Math.min(t,e.length-1)]}return null}function Ko(e){return[...e.querySelectorAll(`[data-task]`)]}function qo({isManual:e,onMove:t,accepts:n}){let[r,i]=V(null),a=W(!1),o=r!==null;H(()=>{if(o)return document.addEventListener(`pointermove`,p),()=>document.removeEventListener(`pointermove`,p)},[o]);let s=e=>{let t=zo(e.target);return r&&t&&n(r.id,t)?t:null},c=t=>e&&r?Xo(Ro(t.target),t.clientY,r.id):null,l=({pointerType:e})=>void(a.current=e===`touch`),u=e=>{if(a.current)return e.preventDefault();let t=Lo(e.target);t&&e.dataTransfer&&(e.dataTransfer.effectAllowed=`move`,e.dataTransfer.setData(`text/plain`,t.querySelector(`.title`)?.textContent??``),i({id:Jo(t),from:zo(t),origin:Yo(t),over:null,spot:null}))},d=e=>{let t=s(e);t&&e.preventDefault();let n=t&&c(e);i(e=>e&&(e.over!==t||!Zo(e.spot,n))?{...e,over:t,spot:n}:e)},f=e=>{let n=s(e);if(n&&r){e.preventDefault();let i=c(e);n===r.from&&Zo(i,r.origin)||t(r.id,n,i,r.origin)}p()},p=()=>i(null);return{dropOf:e=>!r||r.from===e?null:r.over===e?`OVER`:n(r.id,e)?`ACCEPTED`:`REFUSED`,spotIn:e=>r?.over===e?r.spot:null,onPointerDown:l,onDragStart:u,onDragOver:d,onDrop:f,onDragEnd:p}}function Jo(e){return e?.dataset.task??null}function Yo(e){let t=Ko(e.parentElement),n=t.indexOf(e);return{after:Jo(t[n-1]),before:Jo(t[n+1])}}function Xo(e,t,n){let r=Ko(e).filter(e=>Jo(e)!==n),i=r.findIndex(e=>{let{top:n,height:r}=e.getBoundingClientRect();return t<n+r/2}),a=i<0?r.length:i;return{after:Jo(r[a-1]),before:Jo(r[a])}}function Zo(e,t){return e?.after===t?.after&&e?.before===t?.before}var Qo=[],$o=()=>document.activeElement;function es(e){return!(e instanceof HTMLElement)||e===document.body||!e.isConnected?!1:(e.focus(),!0)}function ts({onDismiss:e,opener:t,onGone:n}){let r=W(null),i=W(e);return i.current=e,U(()=>{let e=r.current,a=t(),o=ns(e,()=>i.current());return e.setAttribute(`closedby`,`none`),e.showModal(),Qo.push(e),(e.querySelector(`[data-focus]`)??e.querySelector(`h2`))?.focus(),()=>{o(),Qo.splice(Qo.indexOf(e),1),n(a)}},[]),r}function ns(e,t){let n=new AbortController,{signal:r}=n;return document.addEventListener(`keydown`,n=>{n.key!==`Escape`||n.isComposing||n.defaultPrevented||Qo.at(-1)!==e||(n.preventDefault(),t())},{signal:r}),e.addEventListener(`mousedown`,n=>n.target===e&&t(),{signal:r}),e.addEventListener(`cancel`,n=>{n.target===e&&(n.preventDefault(),t())},{signal:r}),e.addEventListener(`close`,()=>{e.showModal(),t()},{signal:r}),()=>n.abort()}function rs(e,t){let n=Lo(e)??(t===void 0?null:Uo(t));return{element:e instanceof Element?e:null,tasks:n?Wo(n):[]}}function is(e){queueMicrotask(()=>{let t=[...document.querySelectorAll(`dialog:modal`)].at(-1);t?.contains(document.activeElement)||es(e.element)||(t?t.querySelector(`[data-focus], h2`)?.focus():as(e))})}function as({tasks:e}){for(let t of e){let e=Uo(t);if(e)return Ho(e)}document.querySelector(`main`)?.focus()}function os(e,t){let n=W(t);n.current=t,U(()=>(e.dialog={isUnsaved:()=>n.current.isUnsaved(),forget:()=>n.current.forget()},()=>{e.dialog=null}),[])}function ss(e){return e.getModifierState(`CapsLock`)&&!e.shiftKey?e.key.toLowerCase():e.key}function cs(e){H(()=>{let t=t=>{let n=t.target;if(t.ctrlKey||t.metaKey||t.altKey||n.closest(`input, textarea, select, dialog, [popover]`)||document.querySelector(`dialog[open]`))return;let r=e[ss(t)];r&&(t.preventDefault(),r())};return document.addEventListener(`keydown`,t),()=>document.removeEventListener(`keydown`,t)})}function ls(e){let{columns:t,totals:n,state:r,today:i,wanted:a,labels:o,progress:s,selected:c,onMove:l,onAdd:u,accepts:d,children:f}=e,[p,m]=V(null),h=e.onPlaceStep!==null,{dropOf:g,spotIn:_,...v}=qo({isManual:h,onMove:l,accepts:d});return fs(),Q(`main`,{class:`columns`,"aria-label":`Board`,tabIndex:-1,onKeyDown:t=>{let n=Lo(t.target);!n||t.ctrlKey||t.metaKey||t.altKey||us(e,n,t)&&t.preventDefault()},onClick:t=>ds(e,t),onFocusIn:e=>m(Lo(e.target)?.dataset.task??null),...v,children:[L.map(e=>Q(No,{status:e,tasks:t[e],total:n?.[e]??null,wanted:a,loaded:r.loaded,touched:r.touched,current:p,today:i,drop:g(e),spot:_(e),isManual:h,labels:o,progress:s,selected:c,onAdd:u},e)),f]})}function us(e,t,n){let{key:r,shiftKey:i,target:a}=n,o=t.dataset.task;if(i&&(r===`ArrowLeft`||r===`ArrowRight`))return e.onStep(o,r===`ArrowLeft`?-1:1),!0;if(i&&(r===`ArrowUp`||r===`ArrowDown`)&&e.onPlaceStep)return e.onPlaceStep(o,r===`ArrowUp`?-1:1),!0;if(ss(n)===`m`)return e.onMenu(o,t),!0;if(ss(n)===`x`)return e.onSelect(o,!1),!0;if((r===`Enter`||r===` `)&&a.matches(`.open`))return e.onOpen(o),!0;let s=Vo(t,r);return Ho(s),s!==null||/^(Arrow|Home|End)/.test(r)}function ds({onMenu:e,onOpen:t,onSelect:n},r){let i=Lo(r.target);if(!i)return;let a=i.dataset.task,o=r.target,s=o.closest(`.more`);if(s)return e(a,s);if(o.matches(`.select`)||r.ctrlKey||r.metaKey||r.shiftKey)return n(a,r.shiftKey);t(a)}function fs(){let e=rs(document.activeElement);U(()=>{e.tasks.length&&document.activeElement===document.body&&as(e)})}function ps({question:e}){let t=()=>e.answer(!1);return Q(`dialog`,{ref:ts({onDismiss:t,opener:$o,onGone:e=>queueMicrotask(()=>es(e))}),class:`box`,role:`alertdialog`,"aria-labelledby":`question`,"aria-describedby":`question-text`,children:Q(`div`,{class:`sheet`,children:[Q(`h2`,{id:`question`,children:e.title}),Q(`p`,{id:`question-text`,children:e.text}),Q(`div`,{class:`actions`,children:[Q(`button`,{type:`button`,"data-focus":!0,onClick:t,children:e.no}),Q(`button`,{type:`button`,class:`danger`,onClick:()=>e.answer(!0),children:e.yes})]})]})})}function ms(){return Q(`svg`,{class:`mark`,viewBox:`0 0 24 24`,width:`22`,height:`22`,"aria-hidden":`true`,children:Q(`path`,{d:`M3 7c4.5 0 4.5 4 9 4s4.5-4 9-4M3 13c4.5 0 4.5 4 9 4s4.5-4 9-4`})})}var hs=JSON.parse(document.querySelector(`meta[name=taskriver]`).content);function gs({class:e}){let t=Object.entries(hs.links??{});return t.length?Q(`nav`,{class:e,"aria-label":`Other pages`,children:t.map(([e,t])=>Q(`a`,{href:t,children:e},t))}):null}function _s({label:e,anchor:t,onClose:n,children:r}){let i=W(null);return U(()=>{let e=i.current;e.showPopover(),bs(e,t.getBoundingClientRect()),(e.querySelector(`[aria-checked=true]`)??e.querySelector(`button`))?.focus()},[]),Q(`div`,{ref:i,class:`menu`,popover:`auto`,role:`menu`,"aria-label":e,onKeyDown:e=>{if(e.key===`Tab`)return i.current?.hidePopover();let t={ArrowDown:1,ArrowUp:-1}[e.key];if(!t)return;e.preventDefault();let n=[...i.current.querySelectorAll(`button`)],r=n.indexOf(document.activeElement);n.at((r+t)%n.length)?.focus()},onClickCapture:e=>{e.target.closest(`button`)&&i.current?.hidePopover()},onToggle:e=>e.newState===`closed`&&n(),children:r})}var vs=8,ys=60;function bs(e,t){let{width:n,height:r}=e.getBoundingClientRect(),i=t.width<ys?t.right-n:t.left,a=Math.max(vs,Math.min(i,innerWidth-n-vs)),o=t.bottom+4,s=o+r+vs>innerHeight?Math.max(vs,t.top-r-4):o;Object.assign(e.style,{left:`${a}px`,top:`${s}px`})}function xs({store:e,onPanel:t}){let[n,r]=V(!1),i=W(null);H(()=>{e.navigation.arrival&&i.current.focus(),e.navigation.arrival=null},[]);let{state:{project:a},projectKey:o}=e;return Q(b,{children:[Q(`button`,{ref:i,class:`project`,"aria-haspopup":`menu`,"aria-expanded":n,"aria-label":`Board: ${o===null?`All tasks`:`${o} ${a?.name??``}`}`,onClick:()=>{r(!0),e.follow.readProjects()},children:[o!==null&&Q(b,{children:[Q(`b`,{children:o}),` `]}),Q(`span`,{class:`name`,children:o===null?`All tasks`:a?.name}),Q(to,{})]}),n&&Q(_s,{label:`Boards`,anchor:i.current,onClose:()=>r(!1),children:[Q(Ss,{store:e,onShow:t=>{t!==o&&e.navigation.switchTo(t)}}),Q(`hr`,{}),Q(ws,{store:e,onPanel:t})]})]})}function Ss({store:e,onShow:t}){let{state:{projects:n,project:r},projectKey:i}=e,a=n??(r?[r]:[]),o=r&&!a.some(({id:e})=>e===r.id)?[r,...a]:a;return Q(b,{children:[Q(`button`,{role:`menuitemradio`,"aria-checked":i===null,tabIndex:-1,onClick:()=>t(null),children:`All tasks`}),[...o].sort(Cs).map(({id:e,key:n,name:r,isArchived:a})=>Q(`button`,{role:`menuitemradio`,"aria-checked":n===i,tabIndex:-1,onClick:()=>t(n),children:[Q(`b`,{children:n}),` `,Q(`span`,{class:`name`,children:r}),a&&Q(`small`,{children:`archived`})]},e))]})}function Cs(e,t){return Number(e.isArchived)-Number(t.isArchived)||(e.key<t.key?-1:1)}function ws({store:e,onPanel:t}){let{state:n,projectKey:r}=e,i=n.missing?null:n.project;return Q(b,{children:[i&&Q(`button`,{role:`menuitem`,tabIndex:-1,onClick:()=>t(`MEMBERS`),children:`Members …`}),i?.viewerCanManageLabels&&Q(`button`,{role:`menuitem`,tabIndex:-1,onClick:()=>t(`LABELS`),children:`Labels …`}),i&&qi(i)&&Q(`button`,{role:`menuitem`,tabIndex:-1,onClick:()=>t(`SETTINGS`),children:`Settings …`}),(r===null||i?.viewerCanManageMembers)&&Q(`button`,{role:`menuitem`,tabIndex:-1,onClick:()=>t(`TRASH`),children:`Trash …`}),i?.viewerCanArchive&&Q(`button`,{role:`menuitem`,tabIndex:-1,onClick:()=>void e.team.archive(!i.isArchived),children:i.isArchived?`Reopen project`:`Archive project …`}),n.canCreateProjects&&Q(`button`,{role:`menuitem`,tabIndex:-1,onClick:()=>t(`PROJECT`),children:`New project …`})]})}var Ts={ALL:`Everyone’s`,OWNED:`Mine`,ASSIGNED:`Assigned to me`,UNASSIGNED:`Not assigned`},Es={RANK:`Manual order`,UPDATED:`Last changed first`,PRIORITY:`Most urgent first`,DUE:`Next due first`,CREATED:`Newest first`};function Ds({wanted:e,project:t,labels:n,onWanted:r,search:i}){let a=Object.keys(Es).filter(e=>t!==null||e!==`RANK`),o=e=>r(t=>({...t,...e}));return Q(`div`,{class:`toolbar`,role:`search`,"aria-label":`Tasks`,children:[Q(`input`,{ref:i,type:`search`,maxLength:200,value:e.search,placeholder:`Search  ( / )`,"aria-label":`Search titles and descriptions`,"aria-keyshortcuts":`/`,onInput:e=>o({search:e.currentTarget.value})}),Q(ks,{label:`Whose`,value:e.whose,words:Ts,onChoose:e=>o({whose:e})}),Q(ks,{label:`Priority`,value:e.priority,words:{ALL:`Any priority`,...wr},order:[`ALL`,...[...Mt].reverse()],onChoose:e=>o({priority:e})}),Q(ks,{label:`Order`,value:e.order,words:Es,order:a,onChoose:e=>o({order:e})}),(n.length>0||e.label!==null)&&Q(Os,{labels:n,value:e.label,onChoose:e=>o({label:e})}),Rt(e)&&Q(`button`,{class:`quiet`,onClick:()=>r(({order:e})=>({...It(t),order:e})),children:`Show all`})]})}function Os({labels:e,value:t,onChoose:n}){let r=t===null||e.some(({id:e})=>e===t);return Q(`select`,{"aria-label":`Label`,value:t??``,onChange:e=>n(e.currentTarget.value||null),children:[Q(`option`,{value:``,children:`Any label`}),!r&&Q(`option`,{value:t,children:`A deleted label`}),e.map(({id:e,name:t})=>Q(`option`,{value:e,children:t},e))]})}function ks({label:e,value:t,words:n,order:r,onChoose:i}){return Q(`select`,{"aria-label":e,value:t,onChange:e=>i(e.currentTarget.value),children:(r??Object.keys(n)).map(e=>Q(`option`,{value:e,children:n[e]},e))})}function As({store:e,search:t,expanded:n,filtered:r,onExpand:i,onWanted:a,onNew:o,onPanel:s,onSignOut:c}){let{person:l,navigation:u,projectKey:d,state:{project:f}}=e;return Q(`header`,{class:n?`top expanded`:`top`,children:[Q(`h1`,{children:[Q(ms,{}),` `,Q(`span`,{class:`product`,children:`Taskriver`})]}),Q(xs,{store:e,onPanel:s}),Q(Ds,{wanted:u.view.wanted,project:d,labels:f?.labels??[],search:t,onWanted:a}),o&&Q(`button`,{class:`primary new`,"aria-keyshortcuts":`N`,onClick:o,children:`New task`}),Q(`button`,{class:`expand`,"aria-expanded":n,onClick:i,children:r?`Filtered`:`Filter`}),Q(`p`,{class:`who`,children:[Q(gs,{class:`links`}),Q(`span`,{children:[l.username,` `,Q(`small`,{children:l.role.toLowerCase()})]}),Q(`button`,{class:`quiet`,onClick:c,children:`Sign out`})]})]})}function js({task:e,anchor:t,onMove:n,onStep:r,isSelected:i,onSelect:a,onClose:o}){let s=L.filter(t=>t===e.status||Z(e.status,t));return Q(_s,{label:`Move “${e.title}” to`,anchor:t,onClose:o,children:[s.map(t=>Q(`button`,{role:`menuitemradio`,"aria-checked":t===e.status,tabIndex:-1,onClick:()=>n(t),children:[Q(Xa,{status:t}),` `,q[t]]},t)),Q(`hr`,{}),r&&Q(`button`,{role:`menuitem`,tabIndex:-1,onClick:()=>r(-1),children:`Move up`}),r&&Q(`button`,{role:`menuitem`,tabIndex:-1,onClick:()=>r(1),children:`Move down`}),Q(`button`,{role:`menuitem`,tabIndex:-1,onClick:a,children:i?`Deselect`:`Select`})]})}var Ms={SAID:4e3,DONE:4e3,REFUSED:12e3},Ns=1e4;function Ps({store:e,covered:t=!1}){let n=t?[]:e.state.notices,r=(...e)=>n.filter(({kind:t})=>e.includes(t));return Q(b,{children:[Q(`div`,{class:`visually-hidden`,role:`status`,children:r(`SAID`,`DONE`).map(({id:e,text:t})=>Q(`p`,{children:t},e))}),Q(`div`,{class:`notices`,children:[r(`SAID`,`DONE`).map(t=>Q(Fs,{store:e,notice:t},t.id)),Q(`div`,{role:`alert`,children:r(`REFUSED`).map(t=>Q(Fs,{store:e,notice:t},t.id))})]})]})}function Fs({store:e,notice:{id:t,kind:n,text:r,undo:i}}){let[a,o]=V(!1);H(()=>{if(a)return;let r=setTimeout(()=>e.dismiss(t),i?Ns:Ms[n]);return()=>clearTimeout(r)},[a]);let s=Is();if(n===`SAID`)return null;let c=n===`REFUSED`;return Q(`p`,{ref:s.element,class:c?`notice refused`:`notice`,onMouseEnter:()=>o(!0),onMouseLeave:()=>o(!1),onFocusIn:e=>(o(!0),s.came(e.relatedTarget)),onFocusOut:()=>o(!1),children:[Q(`span`,{"aria-hidden":!c,children:r}),i&&Q(Ls,{onUndo:()=>(e.dismiss(t),i())}),(c||i)&&Q(`button`,{class:`quiet`,"aria-label":`Dismiss`,onClick:()=>e.dismiss(t),children:`×`})]})}function Is(){let e=W(null),t=W(rs(null));return U(()=>()=>{e.current?.contains(document.activeElement)&&is(t.current)},[]),{element:e,came:n=>{e.current?.contains(n)||(t.current=rs(n))}}}function Ls({onUndo:e}){return Q(`button`,{class:`undo`,"aria-keyshortcuts":`Z`,onClick:e,children:`Undo`})}function $({store:e,title:t,kind:n=`side`,task:r,onLeave:i,children:a}){return Q(`dialog`,{ref:ts({onDismiss:i,opener:()=>rs(document.activeElement,r),onGone:is}),class:n,"aria-label":t,children:[Q(`div`,{class:`sheet`,children:[Q(`header`,{children:[Q(`h2`,{tabIndex:-1,children:t}),Q(`button`,{type:`button`,class:`quiet`,"aria-label":`Close`,onClick:i,children:`×`})]}),a]}),Q(Ps,{store:e})]})}var Rs=200,zs=1e4;function Bs({fields:e,onField:t,readOnly:n}){let r=(n,r)=>t(n,{...e,[n]:r},e);return Q(b,{children:[Q(`label`,{children:[`Title`,Q(`input`,{name:`title`,required:!0,maxLength:Rs,value:e.title,readOnly:n,autocomplete:`off`,"data-focus":!n||void 0,onInput:e=>r(`title`,e.currentTarget.value)})]}),Q(`label`,{children:[`Description`,Q(`textarea`,{name:`description`,rows:5,maxLength:zs,value:e.description,readOnly:n,onInput:e=>r(`description`,e.currentTarget.value)})]}),Q(`div`,{class:`pair`,children:[Q(`label`,{children:[`Priority`,Q(`select`,{name:`priority`,value:e.priority,disabled:n,onChange:({currentTarget:e})=>r(`priority`,e.value),children:Mt.map(e=>Q(`option`,{value:e,children:wr[e]},e))})]}),Q(`label`,{children:[`Due`,Q(`input`,{name:`due`,type:`datetime-local`,min:`1970-01-02T00:00`,max:`9998-12-30T00:00`,value:bo(e.dueAt),readOnly:n,onChange:e=>r(`dueAt`,xo(e.currentTarget.value))})]})]})]})}function Vs({store:e,id:t}){let{state:n,problem:r,again:i}=Gs(e,t),a=n===`MISSING`?e.state.drafts.get(t):void 0;return Q($,{store:e,title:Us[n],onLeave:()=>void e.close(),children:[Q(`p`,{role:`status`,children:r||Ws[n]}),a&&Q(Hs,{draft:a}),Q(`div`,{class:`actions`,children:[n===`FAILED`&&Q(`button`,{type:`button`,onClick:i,children:`Try again`}),Q(`button`,{type:`button`,onClick:()=>void e.close(),children:`Back to the board`}),a&&Q(`button`,{type:`button`,class:`primary`,onClick:()=>e.edit.salvage(t),children:`Create a new task with it`})]})]})}function Hs({draft:e}){return Q(b,{children:[Q(`p`,{class:`note`,children:`What you typed is not saved. You can create a new task with it.`}),Q(Bs,{fields:ci(e,e.base),readOnly:!0,onField:()=>{}})]})}var Us={READING:`Task`,MISSING:`Task not found`,FAILED:`The task could not be read`},Ws={READING:`Reading the task …`,MISSING:`It was deleted, or you cannot see it, or the link is wrong.`,FAILED:``};function Gs(e,t){let{loaded:n}=e.state,[r,i]=V(0),[{state:a,problem:o},s]=V({state:`READING`,problem:``});return H(()=>{if(!n)return;let r=!1,i=e=>r||s(e);return e.follow.read(t).then(e=>e||i({state:`MISSING`,problem:``}),e=>i(e instanceof I&&e.code===`BAD_REQUEST`?{state:`MISSING`,problem:``}:{state:`FAILED`,problem:e.message})),()=>{r=!0}},[t,n,r]),{state:a,problem:o,again:()=>i(e=>e+1)}}var Ks=50;function qs({store:e,projectId:t,value:n,disabled:r,onChoose:i}){let[a,o]=V([]),[s,c]=V(``),[l,u]=V(!1);H(()=>{let n=!1;return e.api.ask($n,{search:s,projectId:t}).then(({assignableUsers:e})=>{n||(o(e),e.length===Ks&&u(!0))},()=>{}),()=>{n=!0}},[s,t]);let d=n&&!a.some(({id:e})=>e===n.id)?[n,...a]:a;return Q(b,{children:[l&&Q(`input`,{type:`search`,placeholder:`Names beginning with …`,"aria-label":`Find people`,value:s,onInput:e=>c(e.currentTarget.value)}),Q(`select`,{name:`assignee`,value:n?.id??``,disabled:r,"aria-label":`Assigned to`,onChange:({currentTarget:e})=>i(d.find(({id:t})=>t===e.value)??null),children:[Q(`option`,{value:``,children:`Nobody`}),d.map(({id:t,username:n})=>Q(`option`,{value:t,children:[n,t===e.person.id?` (you)`:``]},t))]})]})}function Js({draft:e}){return e?.restored?Q(`p`,{class:`note`,role:`status`,children:`Your unsaved changes were restored.`}):null}function Ys(e){let[,t]=yn((e,t)=>e+1,0);H(()=>(t(),e.subscribe(()=>t())),[e])}function Xs(e){let[,t]=yn((e,t)=>e+1,0);return H(()=>{let n=setInterval(()=>t(),e);return()=>clearInterval(n)},[e]),Date.now()}function Zs(e,t){let{busy:n,problem:r,submit:i}=$s(e,t);return{busy:n,problem:r??``,submit:i}}function Qs(e,t){let n=W(null),{busy:r,problem:i,submit:a}=$s(e,t);return U(()=>{i?.field&&n.current?.querySelector(`[aria-invalid=true]`)?.focus()},[i]),{busy:r,problem:i,submit:e=>{n.current=e.currentTarget,a(e)}}}function $s(e,t){let[n,r]=V(!1),[i,a]=V(null),o=W(!1),s=async()=>{if(o.current)return;o.current=!0,r(!0),a(null);let n=await e();o.current=!1,r(!1),n===null?t():a(n)};return{busy:n,problem:i,submit:e=>{e.preventDefault(),s()}}}function ec(e,t){U(()=>{if(!e)return;let n=e=>t()&&e.preventDefault();return addEventListener(`beforeunload`,n),()=>removeEventListener(`beforeunload`,n)},[e])}function tc({store:e}){let t=e.state.drafts.get(`new`),{busy:n,problem:r,submit:i}=Zs(()=>e.edit.create(),()=>e.navigation.close());return Q($,{store:e,title:`New task`,onLeave:()=>void e.close(),children:Q(`form`,{onSubmit:i,children:[Q(Js,{draft:t}),Q(Bs,{fields:ci(t,$r),readOnly:!1,onField:(t,n,r)=>e.edit.type(`new`,t,n,r)}),Q(`label`,{children:[`Assigned to`,Q(qs,{store:e,projectId:e.state.project?.id??null,value:t?.assignee??null,disabled:!1,onChoose:t=>e.edit.assign(t)})]}),Q(`p`,{class:`problem`,role:`alert`,children:r}),Q(`div`,{class:`actions`,children:[Q(`button`,{type:`button`,onClick:()=>void e.close(),children:`Cancel`}),Q(`button`,{class:`primary`,"aria-disabled":n,children:n?`Creating …`:`Create`})]})]})})}async function nc({api:e},t){let n=[];for(let r=null;;){let{task:i}=await e.ask(Gn,{id:t,after:r});if(!i||(n.push(...i.comments.nodes),!i.comments.pageInfo.hasNextPage))return n;r=i.comments.pageInfo.endCursor}}function rc(e,t){if(e.projectKey!==null)return()=>{};let n=e.state.standing.cursor;return e.api.receive(Zn,{taskIds:[t],after:n},()=>e.follow.commentsChanged(t))}function ic(e,t,n){return sc(e,t,e.submit.request(pr,{taskId:t,text:n}))}function ac(e,t,{id:n,version:r},i){return sc(e,t,e.submit.request(mr,{id:n,text:i,expectedVersion:r}))}function oc(e,t,{id:n}){return sc(e,t,e.submit.request(hr,{id:n}))}async function sc(e,t,n){let r=await n;return e.follow.commentsChanged(t),r}function cc({store:e,task:t,comment:n,now:r}){let[i,a]=V(!1),o=n.author?.username??`A former user`,s=n.viewerDidWrite&&t.viewerCanComment,c=s||t.viewerCanDeleteComments,l=async()=>{let r=await e.ask({title:`Delete this comment?`,text:`This cannot be undone.`,yes:`Delete`,no:`Cancel`})?await oc(e,t.id,n):null;r&&e.notice(`REFUSED`,`The comment was not deleted: ${r}`)};return Q(`li`,{class:`comment`,children:[Q(`p`,{class:`head`,children:[Q(`b`,{children:o}),` `,Q(`time`,{dateTime:n.createdAt,title:vo(n.createdAt),children:go(n.createdAt,r)}),n.isEdited&&Q(`span`,{class:`fine`,children:` edited`}),Q(`span`,{class:`tools`,children:[s&&!i&&Q(`button`,{class:`quiet`,"aria-label":`Edit your comment “${dc(n.text)}”`,onClick:()=>a(!0),children:`Edit`}),c&&Q(`button`,{class:`quiet`,"aria-label":`Delete the comment of ${o} “${dc(n.text)}”`,onClick:()=>void l(),children:`Delete`})]})]}),i?Q(lc,{store:e,taskId:t.id,comment:n,onDone:()=>a(!1)}):Q(`p`,{class:`text`,children:n.text})]})}function lc({store:e,taskId:t,comment:n,onDone:r}){let[i,a]=V(n.text),[o]=V(n),{busy:s,problem:c,submit:l}=Zs(()=>ac(e,t,o,i),r);return Q(`form`,{onSubmit:l,children:[Q(`textarea`,{rows:3,required:!0,maxLength:fc,"aria-label":`Edit your comment`,value:i,ref:uc,onInput:e=>a(e.currentTarget.value)}),Q(`p`,{class:`problem`,role:`alert`,children:c}),Q(`div`,{class:`actions`,children:[Q(`button`,{type:`button`,onClick:r,children:`Cancel`}),Q(`button`,{"aria-disabled":s,children:s?`Saving …`:`Save comment`})]})]})}function uc(e){e?.focus()}function dc(e){return e.length>30?`${e.slice(0,30)}…`:e}var fc=1e4;function pc({store:e,task:t}){let{comments:n,problem:r}=hc(e,t.id),i=Xs(3e4);return Q(`section`,{class:`part comments`,"aria-labelledby":`comments`,children:[Q(`h3`,{id:`comments`,children:[`Comments`,n&&n.length>0&&Q(`span`,{class:`count`,children:[` `,n.length]})]}),r&&Q(`p`,{class:`problem`,role:`alert`,children:r}),Q(`ol`,{children:n?.map(n=>Q(cc,{store:e,task:t,comment:n,now:i},n.id))}),t.viewerCanComment&&Q(mc,{store:e,taskId:t.id})]})}function mc({store:e,taskId:t}){let[n,r]=V(e.comments.get(t)??``),i=n=>{r(n),e.comments.set(t,n)},{busy:a,problem:o,submit:s}=Zs(()=>ic(e,t,n),()=>i(``));return Q(`form`,{onSubmit:s,children:[Q(`textarea`,{name:`comment`,rows:2,required:!0,maxLength:fc,placeholder:`Write a comment`,"aria-label":`Write a comment`,value:n,onInput:e=>i(e.currentTarget.value)}),Q(`p`,{class:`problem`,role:`alert`,children:o}),Q(`div`,{class:`actions`,children:Q(`button`,{"aria-disabled":a,children:a?`Sending …`:`Comment`})})]})}function hc(e,t){let[n,r]=V(null),[i,a]=V(``);return H(()=>rc(e,t),[t]),H(()=>{let n=!1;return nc(e,t).then(e=>n||(r(e),a(``)),e=>n||a(e.message)),()=>{n=!0}},[t,e.state.commented.get(t)]),{comments:n,problem:i}}var gc=200,_c=100;function vc({store:e,task:t}){H(()=>void e.follow.readSubtasks(t.id).catch(()=>{}),[t.id]);let n=Ka(e.tasks.values(),t.id),r=n.filter(({status:e})=>e===`DONE`).length,{state:{project:i},person:a}=e,o=Yi(i,a.role===`ADMIN`)&&n.length<_c;return!n.length&&!o?null:Q(`section`,{class:`part`,"aria-labelledby":`subtasks`,children:[Q(`h3`,{id:`subtasks`,children:[`Subtasks`,n.length>0&&Q(`span`,{class:`count`,children:[` `,r,` of `,n.length,` done`]})]}),n.length>0&&Q(`progress`,{max:n.length,value:r,"aria-labelledby":`subtasks`}),Q(`ul`,{class:`rows`,children:n.map(t=>Q(yc,{store:e,task:t},t.id))}),o&&Q(bc,{store:e,parentId:t.id})]})}function yc({store:e,task:t}){let n=t.status===`DONE`,r=n?`TODO`:`DONE`;return Q(`li`,{children:[Q(`input`,{type:`checkbox`,checked:n,disabled:!(t.viewerCanUpdateStatus&&Z(t.status,r)),"aria-label":`“${t.title}” is done`,onChange:()=>void e.write.move(t.id,r)}),Q(`button`,{class:`quiet what`,onClick:()=>void e.show(t.id),children:[Q(`span`,{class:`key`,children:t.key}),` `,t.title]}),!n&&t.status!==`TODO`&&Q(`span`,{class:`fine`,children:[Q(Xa,{status:t.status}),` `,q[t.status]]})]})}function bc({store:e,parentId:t}){let[n,r]=V(``),{busy:i,problem:a,submit:o}=Zs(()=>e.write.createIn(`TODO`,n.trim(),t),()=>r(``));return Q(`form`,{onSubmit:o,children:[Q(`div`,{class:`line`,children:[Q(`input`,{"aria-label":`Title of a new subtask`,placeholder:`New subtask`,required:!0,maxLength:gc,autocomplete:`off`,value:n,onInput:e=>r(e.currentTarget.value)}),Q(`button`,{"aria-disabled":i,children:`Add`})]}),Q(`p`,{class:`problem`,role:`alert`,children:a})]})}function xc({names:e,words:t,mine:n,theirs:r,onDecide:i}){let a=e=>t[e].toLowerCase(),o=(e,t,{form:n})=>{i(e,t),(n?.querySelector(`[name="${e}"]`)??n?.querySelector(`input`))?.focus()};return Q(b,{children:[Q(`p`,{class:`note`,role:`status`,children:e.length>0&&`Another user changed this, too. Which value do you want to keep?`}),e.length>0&&Q(`section`,{class:`conflicts`,"aria-label":`Conflicts`,children:e.map(e=>Q(`fieldset`,{children:[Q(`legend`,{children:t[e]}),Q(Sc,{whose:`Yours`,text:n(e),choose:`Keep your ${a(e)}`,onChoose:t=>o(e,`MINE`,t)}),Q(Sc,{whose:`Theirs`,text:r(e),choose:`Use their ${a(e)}`,onChoose:t=>o(e,`THEIRS`,t)})]},e))})]})}function Sc({whose:e,text:t,choose:n,onChoose:r}){return Q(`div`,{class:`value`,children:[Q(`h3`,{children:e}),Q(`p`,{tabIndex:0,role:`group`,"aria-label":e,children:t||Q(`i`,{children:`empty`})}),Q(`button`,{type:`button`,onClick:e=>r(e.currentTarget),children:n})]})}function Cc({store:e,task:t,onDelete:n}){let{id:r}=t,{busy:i,problem:a,submit:o}=Zs(()=>e.edit.save(r),()=>e.isUnsaved||e.navigation.close()),s=ni(e.state.board.tasks.get(r)??t),c=e.state.drafts.get(r),l=i?[]:li(c,s),u=di(c,s);return Q(`form`,{onSubmit:o,children:[Q(Js,{draft:c}),Q(Bs,{fields:ci(c,s),readOnly:!t.viewerCanUpdate,onField:(t,n,i)=>e.edit.type(r,t,n,i)}),Q(xc,{names:l,words:ti,mine:e=>wc(e,c?.mine??s),theirs:e=>wc(e,s),onDecide:(t,n)=>e.edit.decide(r,t,n)}),u&&!t.viewerCanUpdate&&Q(`p`,{class:`problem`,children:`You may no longer change this task. Copy your text if you need it.`}),Q(`p`,{class:`problem`,role:`alert`,children:l.length||u?a:``}),Q(`div`,{class:`actions`,children:[Q(`span`,{class:`fine`,children:[t.owner?`Owner: ${t.owner.username}`:`No owner`,` · version `,t.version]}),t.viewerCanDelete&&Q(`button`,{type:`button`,class:`danger`,onClick:n,children:`Delete`}),t.viewerCanUpdate&&Q(`button`,{class:`primary`,disabled:!i&&!u,"aria-disabled":i,children:i?`Saving …`:`Save`})]})]})}function wc(e,t){return e===`priority`?wr[t.priority]:e===`dueAt`?t.dueAt===null?``:vo(t.dueAt):t[e]}function Tc({store:e,task:t}){let[n,r]=V(null),[i,a]=V(``),o=Xs(3e4),s=async n=>{try{let r=await e.api.ask(Qn,{id:t.id,after:n});return a(``),r.task?.history}catch(e){a(e instanceof Error?e.message:String(e));return}};H(()=>{let e=!1;return s(null).then(t=>!e&&t&&r(t)),()=>{e=!0}},[t.id,t.version]);let c=async()=>{let e=n?.pageInfo.endCursor??null,t=await s(e);t&&r(n=>n&&n.pageInfo.endCursor===e?{...t,nodes:[...n.nodes,...t.nodes]}:n)};return Q(`section`,{class:`history`,"aria-labelledby":`history`,children:[Q(`h3`,{id:`history`,children:`History`}),i&&Q(`p`,{class:`problem`,role:`alert`,children:i}),Q(`ol`,{children:n?.nodes.map(e=>Q(Ec,{entry:e,now:o},e.version))}),n?.pageInfo.hasNextPage&&Q(`button`,{type:`button`,onClick:()=>void c(),children:`Show earlier changes`})]})}function Ec({entry:e,now:t}){let n=e.from!==null&&e.from!==e.to;return Q(`li`,{children:[Q(`b`,{children:e.by?.username??`operator`}),` `,Dr(e.changes),n&&e.from&&Q(`span`,{class:`move`,children:[` `,q[e.from],` → `,q[e.to]]}),Q(`time`,{dateTime:e.at,title:vo(e.at),children:[` `,go(e.at,t)]})]})}function Dc({name:e,label:t,hint:n,problem:r,children:i}){let a=bn(),o=r?.field===e;return Q(`div`,{class:`field`,children:[Q(`label`,{children:[t,i({name:e,"aria-invalid":o?`true`:void 0,"aria-describedby":`${a}-hint ${a}-problem`})]}),Q(`p`,{class:`problem`,role:`alert`,id:`${a}-problem`,children:o&&r.text}),Q(`p`,{class:`fine`,id:`${a}-hint`,children:n})]})}function Oc({problem:e}){return Q(`p`,{class:`problem`,role:`alert`,children:e?.field===null&&e.text})}function kc({label:e=`Name`,of:t,fields:n,problem:r,onField:i}){return Q(`div`,{class:`label-inputs`,children:[Q(Dc,{name:`name`,label:e,problem:r,children:e=>Q(`input`,{...e,"aria-label":`Name of ${t}`,required:!0,autocomplete:`off`,value:n.name,onInput:e=>i(`name`,e.currentTarget.value)})}),Q(Dc,{name:`color`,label:`Color`,problem:r,children:e=>Q(`input`,{...e,type:`color`,"aria-label":`Color of ${t}`,value:n.color,onInput:e=>i(`color`,e.currentTarget.value)})})]})}function Ac({store:e,word:t,onCreated:n}){let[r,i]=V(wa),{busy:a,problem:o,submit:s}=Qs(()=>e.labels.create(r,n),()=>i(({color:e})=>({...wa,color:e})));return Q(`form`,{class:`label-form`,onSubmit:s,children:[Q(kc,{label:`New label`,of:`a new label`,fields:r,problem:o,onField:(e,t)=>i(n=>({...n,[e]:t}))}),Q(Oc,{problem:o}),Q(`div`,{class:`actions`,children:Q(`button`,{"aria-disabled":a,children:t})})]})}function jc({store:e,project:t,task:n}){let r=n.labels?.nodes.map(({id:e})=>e)??[],i=t.labels.filter(({id:e})=>r.includes(e)),a=t=>{e.write.setLabels(n.id,r.includes(t)?r.filter(e=>e!==t):[...r,t])},o=t.viewerCanManageLabels&&!t.isArchived,s=n.viewerCanUpdate&&(t.labels.length>0||o);return!s&&!i.length?null:Q(`section`,{class:`part`,"aria-labelledby":`labels`,children:[Q(`h3`,{id:`labels`,children:`Labels`}),Q(`p`,{class:`labels`,children:[i.map(e=>Q(co,{label:e},e.id)),!i.length&&Q(`span`,{class:`fine`,children:`None`})]}),s&&Q(`details`,{children:[Q(`summary`,{children:`Change labels`}),t.labels.length>0&&Q(`div`,{class:`choices`,role:`group`,"aria-label":`Labels of the task`,children:t.labels.map(e=>Q(`label`,{class:`choice`,children:[Q(`input`,{type:`checkbox`,checked:r.includes(e.id),onChange:()=>a(e.id)}),Q(co,{label:e})]},e.id))}),o&&Q(Ac,{store:e,word:`Create`,onCreated:a})]})]})}function Mc({store:e,task:{id:t,key:n,project:r,parent:i,viewerCanUpdate:a}}){if(!r||!n)return null;let o=i&&e.tasks.get(i.id),s=()=>e.leaveFor(()=>({...Xt(r.key),task:t}));return Q(`p`,{class:`path`,children:[Q(`span`,{class:`key`,children:n}),e.projectKey===null&&Q(`button`,{class:`quiet`,onClick:()=>void s(),children:[`Open the board of `,r.key]}),o&&e.projectKey!==null&&Q(`button`,{class:`quiet`,onClick:()=>void e.show(o.id),children:[`Subtask of `,o.key,` `,o.title]}),i&&a&&e.projectKey!==null&&Q(`button`,{class:`quiet`,onClick:()=>void e.write.detach(t),children:`Remove from parent task`})]})}function Nc({store:e,task:t}){let n=di(e.state.drafts.get(t.id),ni(t)),r=async()=>{await e.ask({title:`Delete “${t.title}”?`,yes:`Delete`,no:`Cancel`,text:n?`Your unsaved changes are lost. The task itself can be restored from the trash.`:`It can be restored from the trash.`})&&(e.draft(t.id,()=>null),e.navigation.close(),e.write.remove(t))};return Q($,{store:e,title:t.title,task:t.id,onLeave:()=>void e.close(),children:[Q(Mc,{store:e,task:t}),Q(`div`,{class:`at-once`,children:[Q(`label`,{children:[`Status`,Q(Pc,{task:t,onMove:n=>void e.write.move(t.id,n)})]}),Q(`label`,{children:[`Assigned to`,Q(qs,{store:e,projectId:t.project?.id??null,value:t.assignee,disabled:!t.viewerCanAssign,onChoose:n=>void e.write.assign(t.id,n)})]})]}),e.state.project&&Q(jc,{store:e,project:e.state.project,task:t}),Q(Cc,{store:e,task:t,onDelete:()=>void r()}),e.state.project&&!t.parent&&Q(vc,{store:e,task:t}),Q(pc,{store:e,task:t}),Q(Tc,{store:e,task:t})]})}function Pc({task:e,onMove:t}){let n=L.filter(t=>t===e.status||Z(e.status,t));return Q(`select`,{name:`status`,value:e.status,disabled:!e.viewerCanUpdateStatus,onChange:({currentTarget:e})=>t(e.value),children:n.map(e=>Q(`option`,{value:e,children:q[e]},e))})}function Fc({store:e,view:t}){if(t.creating)return Q(tc,{store:e});if(t.task===null)return null;let n=e.tasks.get(t.task);return n?Q(Nc,{store:e,task:n},t.task):Q(Vs,{store:e,id:t.task},t.task)}function Ic({editing:e}){let{label:t,edit:n,isDeleted:r}=e,i=e.theirs,{busy:a,problem:o,submit:s}=Qs(r?e.salvage:e.save,e.stop),c=W(null);U(()=>c.current?.querySelector(`input`)?.select(),[]);let{merged:l,conflicts:u}=pa(n,i);return Q(`form`,{ref:c,class:`label-form`,"aria-label":`Edit the label “${t.name}”`,onSubmit:s,onKeyDown:t=>{t.key!==`Escape`||t.isComposing||(t.preventDefault(),e.stop())},children:[Q(kc,{of:`“${t.name}”`,fields:l,problem:o,onField:e.type}),Q(xc,{names:a||r?[]:u,words:Ca,mine:e=>l[e],theirs:e=>i[e],onDecide:e.decide}),Q(`p`,{class:`note`,role:`status`,children:r&&`This label was deleted, and its tasks have lost it. You can create a new label with what you see here.`}),Q(Oc,{problem:o}),Q(`div`,{class:`actions`,children:[Q(`button`,{type:`button`,onClick:e.stop,children:`Cancel`}),Q(`button`,{class:`primary`,"aria-disabled":a,children:r?`Create label`:`Save label`})]})]})}function Lc({store:e}){return Q(`p`,{class:`note`,role:`status`,children:e.state.missing&&!e.settings.isDeleting&&`This project was deleted, or you can no longer see it.`})}function Rc(e,t){let[n,r]=V(null),i=W(n),a=e=>{i.current=e,r(e)},o=(e.state.project?.labels??[]).find(({id:e})=>e===n?.label.id),s=n?Ta(o??n.label):null,c=e=>{i.current&&a({...i.current,edit:e(i.current.edit)})},l=()=>a(null);return os(e,{isUnsaved:()=>t&&!!s&&Object.keys(pa(i.current?.edit,s).changes).length>0,forget:l}),{label:n?.label??null,edit:n?.edit,theirs:s,isDeleted:n!==null&&!o,start:async t=>{await e.mayLeaveDialog()&&a({label:t,edit:void 0})},stop:l,type:(e,t)=>c(n=>s?ma(n,e,t,s):n),decide:(e,t)=>c(n=>n&&s?ha(n,e,s,t):n),save:()=>e.labels.save(n.label.id,()=>i.current?.edit,e=>c(t=>t&&ga(t,e))),salvage:()=>e.labels.create(pa(i.current?.edit,s).merged)}}function zc(){let e=W(null),t=W(null);return H(()=>{let n=e.current,r=e=>{let r=e.target.closest(`[data-row]`);t.current=r&&{row:r.dataset.row,place:[...n.children].indexOf(r)}},i=n.closest(`dialog`);return i.addEventListener(`focusin`,r),()=>i.removeEventListener(`focusin`,r)},[]),U(()=>{let{activeElement:n}=document;if(!t.current||n&&n!==document.body)return;let{row:r,place:i}=t.current,a=[...e.current.children];((a.find(({dataset:e})=>e.row===r)??a[Math.min(i,a.length-1)])?.querySelector(`button`)??e.current.closest(`dialog`).querySelector(`input, h2`))?.focus()}),e}function Bc({store:e,onClose:t}){let{project:n,missing:r,partial:i,board:a}=e.state,o=G(()=>i?null:Ea(a),[i,a]),s=n?.labels??[],c=!r&&!!n?.viewerCanManageLabels,l=Rc(e,c),u=l.isDeleted?[l.label,...s]:s,d=zc(),f=async()=>{await e.mayLeaveDialog()&&t()};return Q($,{store:e,title:`Labels of ${n?.key??``}`,onLeave:()=>void f(),children:[Q(Lc,{store:e}),!c&&!r&&Q(`p`,{class:`note`,role:`status`,children:`You may no longer change the labels of this project.`}),c&&Q(Ac,{store:e,word:`Create label`}),s.length===0&&Q(`p`,{class:`empty`,children:`This project has no labels.`}),Q(`ul`,{class:`rows editable`,ref:d,children:u.map(t=>Q(`li`,{"data-row":t.id,children:c&&t.id===l.label?.id?Q(Ic,{editing:l}):Q(Vc,{store:e,label:t,count:o&&(o.get(t.id)??0),canManage:c,onEdit:()=>void l.start(t)})},t.id))})]})}function Vc({store:e,label:t,count:n,canManage:r,onEdit:i}){return Q(b,{children:[Q(`span`,{class:`what`,children:[Q(co,{label:t}),n!==null&&Q(`small`,{children:n===1?`1 task`:`${n.toLocaleString(`en`)} tasks`})]}),r&&Q(`button`,{"aria-label":`Edit the label “${t.name}”`,onClick:i,children:`Edit`}),r&&Q(`button`,{class:`danger`,"aria-label":`Delete the label “${t.name}”`,onClick:()=>void e.labels.remove(t),children:`Delete`})]})}function Hc({label:e,value:t,onChoose:n}){return Q(`select`,{"aria-label":e,value:t,onChange:e=>n(e.currentTarget.value),children:Object.keys(Tr).map(e=>Q(`option`,{value:e,children:Tr[e]},e))})}function Uc({store:e,members:t,onAdd:n}){let[r,i]=V(``),[a,o]=V(`MEMBER`),s=Wc(e,r.trim()).filter(({id:e})=>!t.includes(e));return Q(`section`,{class:`part`,"aria-labelledby":`add-member`,children:[Q(`h3`,{id:`add-member`,children:`Add a member`}),Q(`div`,{class:`line`,children:[Q(`input`,{type:`search`,placeholder:`Names beginning with …`,"aria-label":`Find a user`,value:r,onInput:e=>i(e.currentTarget.value)}),Q(Hc,{label:`Role of the new member`,value:a,onChoose:o})]}),r.trim()!==``&&Q(`ul`,{class:`rows`,children:[s.map(({id:e,username:t})=>Q(`li`,{children:[Q(`span`,{class:`what`,children:t}),Q(`button`,{"aria-label":`Add ${t}`,onClick:()=>n(e,a),children:`Add`})]},e)),!s.length&&Q(`li`,{class:`fine`,children:`No other user has a name that begins with this text.`})]})]})}function Wc(e,t){let[n,r]=V([]);return H(()=>{if(!t)return r([]);let n=!1;return e.api.ask($n,{search:t}).then(({assignableUsers:e})=>n||r(e),()=>{}),()=>{n=!0}},[t]),n}function Gc({store:e,onClose:t}){let{members:n,problem:r,run:i}=qc(e),{team:a,state:{project:o},person:s}=e,c=!!o?.viewerCanManageMembers&&!o.isArchived,l=o?.viewerRole!=null;return Q($,{store:e,title:`Members of ${o?.key??``}`,onLeave:t,children:[Q(`p`,{class:`problem`,role:`alert`,children:r}),Q(`ul`,{class:`rows`,children:n.map(e=>Q(Kc,{member:e,isManager:c,isViewer:e.user?.id===s.id,onRole:(e,t)=>i(()=>a.setRole(e,t)),onRemove:e=>i(()=>a.remove(e))},e.id))}),c&&Q(Uc,{store:e,members:n.map(({user:e})=>e?.id),onAdd:(e,t)=>i(()=>a.add(e,t))}),l&&Q(`div`,{class:`actions`,children:Q(`button`,{class:`danger`,onClick:()=>i(()=>a.leave()),children:`Leave the project …`})})]})}function Kc({member:{user:e,role:t},isManager:n,isViewer:r,onRole:i,onRemove:a}){if(!e)return null;let{id:o,username:s}=e;return Q(`li`,{children:[Q(`span`,{class:`what`,children:[s,r&&Q(`small`,{children:` you`})]}),n?Q(Hc,{label:`Role of ${s}`,value:t,onChoose:e=>i(o,e)}):Q(`span`,{children:Tr[t]}),n&&!r&&Q(`button`,{"aria-label":`Remove ${s}`,onClick:()=>a(o),children:`Remove`})]})}function qc(e){let[t,n]=V([]),[r,i]=V(``),a=e.projectKey;return H(()=>{let t=!1;return Jc(e,a).then(e=>t||n(e),e=>t||i(e.message)),()=>{t=!0}},[e.state.membersSeen]),{members:t,problem:r,run:e=>void e().then(e=>i(e??``))}}async function Jc(e,t){let n=[];for(let r=null;;){let{project:i}=await e.api.ask(zn,{key:t,after:r});if(!i||(n.push(...i.members.nodes),!i.members.pageInfo.hasNextPage))return n;r=i.members.pageInfo.endCursor}}function Yc({fields:e,problem:t,keyHint:n,readOnly:r=!1,onField:i}){return Q(b,{children:[Q(Dc,{name:`name`,label:Aa.name,problem:t,children:t=>Q(`input`,{...t,required:!0,autocomplete:`off`,"data-focus":!r||void 0,readOnly:r,value:e.name,onInput:e=>i(`name`,e.currentTarget.value)})}),Q(Dc,{name:`key`,label:Aa.key,problem:t,hint:n,children:t=>Q(`input`,{...t,required:!0,pattern:`[A-Za-z][A-Za-z0-9]{1,9}`,maxLength:10,autocomplete:`off`,spellcheck:!1,title:`2 to 10 letters and digits; the first is a letter.`,readOnly:r,value:e.key,onInput:e=>i(`key`,e.currentTarget.value.toUpperCase())})}),Q(Dc,{name:`description`,label:Aa.description,problem:t,children:t=>Q(`textarea`,{...t,rows:4,readOnly:r,value:e.description,onInput:e=>i(`description`,e.currentTarget.value)})})]})}var Xc={name:``,key:``,description:``};function Zc({store:e,onClose:t}){let[n,r]=V(Xc),{busy:i,problem:a,submit:o}=Qs(()=>e.team.create(n),t);os(e,{isUnsaved:()=>ka.some(e=>n[e]!==``),forget:()=>r(Xc)});let s=async()=>{await e.mayLeaveDialog()&&t()};return Q($,{store:e,title:`New project`,kind:`box`,onLeave:()=>void s(),children:Q(`form`,{onSubmit:o,children:[Q(Yc,{fields:n,problem:a,keyHint:`The names of its tasks begin with it, such as WEB-12.`,onField:(e,t)=>r(n=>({...n,[e]:t}))}),Q(Oc,{problem:a}),Q(`div`,{class:`actions`,children:[Q(`button`,{type:`button`,onClick:()=>void s(),children:`Cancel`}),Q(`button`,{class:`primary`,"aria-disabled":i,children:i?`Creating …`:`Create`})]})]})})}function Qc({store:e,project:{key:t}}){let[n,r]=V(``),[i,a]=V(!1),{partial:o,loaded:s,board:c}=e.state,l=s&&!o?c.tasks.size:null,u=l!==0||i||e.settings.isDeleting,{busy:d,problem:f,submit:p}=Qs(async()=>{if(!u&&!await e.ask(el(t)))return null;if(u&&n.trim().toUpperCase()!==t)return{field:`confirmKey`,text:`Type ${t} to delete the project.`};let r=await e.settings.remove(u?t:null);return a(r?.field===`confirmKey`),r},()=>{});return Q(`form`,{class:`part`,"aria-labelledby":`delete-project`,onSubmit:p,noValidate:!0,children:[Q(`h3`,{id:`delete-project`,children:`Delete`}),Q(`p`,{class:`fine`,children:[$c(l),` The members lose the project. This cannot be undone. Its keys can then be used again.`]}),u&&Q(Dc,{name:`confirmKey`,label:`Type ${t} to confirm`,problem:f,children:e=>Q(`input`,{...e,autocomplete:`off`,spellcheck:!1,value:n,onInput:e=>r(e.currentTarget.value)})}),Q(Oc,{problem:f}),Q(`div`,{class:`actions`,children:Q(`button`,{class:`danger`,"aria-disabled":d,children:d?`Deleting …`:u?`Delete ${t}`:`Delete ${t} …`})})]})}function $c(e){return e===0?`The project has no tasks. What is in its trash is deleted, too.`:`${e===null?`All tasks`:e===1?`Its 1 task`:`Its ${e.toLocaleString(`en`)} tasks`}, with comments and labels, and what is in the trash are deleted for good.`}function el(e){return{title:`Delete ${e}?`,text:`The project has no tasks. This cannot be undone.`,yes:`Delete`,no:`Cancel`}}function tl({store:e,project:t,canUpdate:n,onSaved:r}){let{settings:i}=e,{busy:a,problem:o,submit:s}=Qs(()=>i.save(),()=>{e.notice(`DONE`,`The settings are saved.`),i.isUnsaved||r()}),c=ja(t),{edit:l,isUnsaved:u}=i,{merged:d,conflicts:f}=pa(l,c),p=a?[]:f;return Q(`form`,{onSubmit:s,children:[Q(Js,{draft:l}),Q(Yc,{fields:d,problem:o,readOnly:!n,keyHint:`With another key, the address of this board and the names of its tasks change. Links with ${t.key} still lead here, and no other project can take it.`,onField:(e,t)=>i.type(e,t)}),Q(xc,{names:p,words:Aa,mine:e=>d[e],theirs:e=>c[e],onDecide:(e,t)=>i.decide(e,t)}),u&&!n&&Q(`p`,{class:`problem`,children:t.isArchived?`The project is archived: reopen it, then save.`:`You may no longer change this project. Copy your text if you need it.`}),Q(Oc,{problem:p.length||u?o:null}),n&&Q(`div`,{class:`actions`,children:[Q(`span`,{class:`fine`,children:[`version `,t.version]}),Q(`button`,{class:`primary`,disabled:!a&&!u,"aria-disabled":a,children:a?`Saving …`:`Save`})]})]})}function nl({store:e,onClose:t}){let{settings:n}=e;os(e,{isUnsaved:()=>n.isUnsaved,forget:()=>n.forget()});let r=async()=>{await e.mayLeaveDialog()&&t()},{missing:i}=e.state,a=e.state.project,o=!i||n.isDeleting;return Q($,{store:e,title:`Settings of ${a.key}`,onLeave:()=>void r(),children:[Q(Lc,{store:e}),(o||n.isUnsaved)&&Q(tl,{store:e,project:a,canUpdate:o&&a.viewerCanUpdate,onSaved:t}),o&&a.viewerCanArchive&&Q(rl,{store:e,project:a}),o&&a.viewerCanDelete&&Q(Qc,{store:e,project:a})]})}function rl({store:e,project:{key:t,isArchived:n}}){return Q(`section`,{class:`part`,"aria-labelledby":`archive`,children:[Q(`h3`,{id:`archive`,children:n?`Reopen`:`Archive`}),Q(`p`,{class:`fine`,children:n?`This project is archived: everything in it can be read, but not changed.`:`Everything in an archived project can be read, but not changed. A manager can reopen it.`}),Q(`div`,{class:`actions`,children:Q(`button`,{onClick:()=>void e.team.archive(!n),children:n?`Reopen ${t}`:`Archive ${t} …`})})]})}var il=[[[`N`],`New task`],[[`/`],`Search`],[[`↑`,`↓`,`←`,`→`],`Go from card to card`],[[`Home`,`End`],`First or last card of the column`],[[`Enter`],`Open the task`],[[`Shift`,`←`],`Move the task to the column on the left`],[[`Shift`,`→`],`Move the task to the column on the right`],[[`Shift`,`↑`],`Move the task up, in the manual order`],[[`Shift`,`↓`],`Move the task down, in the manual order`],[[`M`],`Choose a column to move the task to`],[[`X`],`Select the task, or not: selected tasks are moved together`],[[`Z`],`Undo the last move or deletion`],[[`Esc`],`Close what is open`],[[`?`],`Show this list`]];function al({store:e,onClose:t}){return Q($,{store:e,title:`Keyboard shortcuts`,kind:`box`,onLeave:t,children:Q(`dl`,{class:`shortcuts`,children:il.map(([e,t])=>Q(`div`,{children:[Q(`dt`,{children:e.map(e=>Q(`kbd`,{children:e},e))}),Q(`dd`,{children:t})]},t))})})}function ol({store:e,onClose:t}){let{page:n,problem:r,more:i,drop:a}=sl(e),o=Xs(3e4),s=async({id:t,title:n})=>{await e.write.restore(t,n)&&a(t)};return Q($,{store:e,title:`Trash`,onLeave:t,children:[Q(`p`,{class:`fine`,children:e.projectKey===null?`Personal tasks that you deleted. They are removed for good after some time.`:`Deleted tasks of this project. They are removed for good after some time.`}),Q(`p`,{class:`problem`,role:`alert`,children:r}),n?.nodes.length===0&&Q(`p`,{class:`empty`,children:`The trash is empty.`}),Q(`ul`,{class:`rows`,children:n?.nodes.map(e=>Q(`li`,{children:[Q(`span`,{class:`what`,children:[e.key&&Q(`span`,{class:`key`,children:e.key}),` `,e.title,Q(`small`,{children:[e.deletedBy?.username??`operator`,`,`,` `,Q(`time`,{dateTime:e.deletedAt,title:vo(e.deletedAt),children:go(e.deletedAt,o)}),e.subtaskCount>0&&` · with ${e.subtaskCount} subtasks`]})]}),Q(`button`,{"aria-label":`Restore “${e.title}”`,onClick:()=>void s(e),children:`Restore`})]},e.id))}),n?.pageInfo.hasNextPage&&Q(`button`,{onClick:i,children:`Show earlier ones`})]})}function sl(e){let[t,n]=V(null),[r,i]=V(``),a=async(t,r=()=>!1)=>{try{let{trash:a}=await e.api.ask(Kn,{projectId:e.state.project?.id??null,after:t});if(r())return;i(``),n(e=>({...a,nodes:t===null?a.nodes:[...e?.nodes??[],...a.nodes]}))}catch(e){r()||i(e instanceof Error?e.message:String(e))}};return H(()=>{let e=!1;return a(null,()=>e),()=>{e=!0}},[]),{page:t,problem:r,more:()=>void a(t?.pageInfo.endCursor??null),drop:e=>n(t=>t&&{...t,nodes:t.nodes.filter(t=>t.id!==e)})}}function cl({store:e,panel:t,onClose:n}){switch(t){case`SHORTCUTS`:return Q(al,{store:e,onClose:n});case`MEMBERS`:return Q(Gc,{store:e,onClose:n});case`TRASH`:return Q(ol,{store:e,onClose:n});case`LABELS`:return Q(Bc,{store:e,onClose:n});case`SETTINGS`:return Q(nl,{store:e,onClose:n});case`PROJECT`:return Q(Zc,{store:e,onClose:n})}}function ll({count:e,onMove:t,onClear:n}){return e?Q(`section`,{class:`selection`,"aria-label":`Selected tasks`,children:[Q(`b`,{role:`status`,children:[e,` selected`]}),Q(`span`,{class:`fine`,children:`Move to`}),L.map(e=>Q(`button`,{onClick:()=>t(e),children:[Q(Xa,{status:e}),` `,q[e]]},e)),Q(`button`,{class:`quiet`,"aria-keyshortcuts":`Escape`,onClick:n,children:`Clear`})]}):null}var ul={ids:new Set,anchor:null};function dl({ids:e},t){let n=new Set(e);return n.delete(t)||n.add(t),{ids:n,anchor:n.has(t)?t:null}}function fl({ids:e,anchor:t},n,r){let[i,a]=[r.indexOf(t??n),r.indexOf(n)];if(i<0||a<0)return{ids:new Set(e).add(n),anchor:n};let o=r.slice(Math.min(i,a),Math.max(i,a)+1);return{ids:new Set([...e,...o]),anchor:t??n}}function pl(e,t){let n=[...e.ids].filter(t);return n.length===e.ids.size?e:{ids:new Set(n),anchor:null}}function ml(e,t){let[n,r]=V(ul),i=new Set;if(n.ids.size)for(let e of Object.values(t))for(let{id:t}of e)i.add(t);let a=pl(n,e=>i.has(e)),o=()=>r(ul);return hl(a.ids.size>0,o),{selected:a.ids,select:(n,i)=>{let a=e.tasks.get(n);if(!a?.viewerCanUpdateStatus)return e.write.refuseMove();let o=t[a.status].filter(e=>e.viewerCanUpdateStatus).map(e=>e.id);r(e=>i?fl(e,n,o):dl(e,n))},move:t=>{e.collect.move(a.ids,t),o()},clear:o}}function hl(e,t){H(()=>{if(!e)return;let n=e=>{let n=e.target.closest(`input:not([type=checkbox]), textarea, select, dialog, [popover]`);e.key===`Escape`&&!n&&!document.querySelector(`dialog[open]`)&&t()};return document.addEventListener(`keydown`,n),()=>document.removeEventListener(`keydown`,n)},[e])}var gl=1e3;function _l({store:e,stop:t}){let{standing:n,skew:r,comparison:i}=e.state,a=n.phase===`LIVE`||n.phase===`CATCHING_UP`;return Q(`div`,{class:`details`,id:`stream-details`,children:[Q(`dl`,{children:[Q(vl,{name:`Transport`,value:`graphql-transport-ws`}),Q(vl,{name:`Cursor`,value:yl(n),title:`Position in the log; as clients see it: ${n.cursor??`none yet`}`}),Q(vl,{name:`Last event took`,value:bl(n),title:xl(r)}),Q(vl,{name:`Reconnects`,value:`${Math.max(0,n.connections-1)}`}),Q(vl,{name:`Gaps`,value:`${n.gaps}`,title:`How often something was missing after all`})]}),Q(`div`,{class:`buttons`,children:[Q(`button`,{disabled:!a,onClick:()=>e.follow.drop(),children:`Drop my connection`}),Q(`button`,{disabled:!a,onClick:()=>e.follow.stop(t*gl),children:[`Stop for `,t,` s`]}),Q(`button`,{disabled:i===`COMPARING`,onClick:()=>void e.follow.compare(),children:`Compare with the server`}),i&&Q(`span`,{class:`comparison`,role:`status`,children:Sl(i)})]})]})}function vl({name:e,value:t,title:n}){return Q(`div`,{title:n??``,children:[Q(`dt`,{children:e}),Q(`dd`,{children:t})]})}function yl({cursor:e}){return Y(e)?.position.toLocaleString(`en`)??`–`}function bl({latency:e}){return e?e.give===null?`${Math.round(e.milliseconds)} ms?`:`${yo(e.milliseconds)} ± ${Math.ceil(e.give)}`:`–`}function xl(e){return e?`The server’s clock is ${Math.round((e.least+e.most)/2)} ms ahead of this one, ± ${Math.ceil((e.most-e.least)/2)} ms, as your own changes show. The figure is corrected by that.`:`Measured between the server’s clock and this one’s. How far they are apart is known after your first change.`}function Sl(e){return e===`COMPARING`?`Comparing …`:e.differing?`${e.differing} tasks differed, and were corrected.`:`All ${e.tasks.toLocaleString(`en`)} tasks are the same.`}var Cl=Number(new URLSearchParams(location.search).get(`stop`))||30,wl=1e3,Tl={CONNECTING:`Connecting`,LIVE:`Live`,CATCHING_UP:`Catching up`,AWAY:`Disconnected`,STOPPED:`Stopped`,OVER:`Ended`};function El({store:e,onShortcuts:t}){let{standing:n,loaded:r,board:i}=e.state,[a,o]=V(!1);return Q(`footer`,{class:`stream ${n.phase}`,"aria-label":`Connection`,children:[Q(`p`,{class:`phase`,role:`status`,children:[Q(`span`,{class:`lamp`}),` `,Tl[n.phase]]}),Q(`p`,{class:`story`,children:r?Q(Dl,{standing:n}):kl(i.tasks.size,n.why)}),Q(`div`,{class:`more-buttons`,children:[Q(gs,{class:`links`}),Q(`button`,{class:`quiet`,"aria-keyshortcuts":`?`,onClick:t,children:[`Shortcuts `,Q(`kbd`,{children:`?`})]}),Q(`button`,{class:`quiet`,"aria-expanded":a,"aria-controls":`stream-details`,onClick:()=>o(e=>!e),children:`Details`})]}),a&&Q(_l,{store:e,stop:Cl})]})}function Dl({standing:e}){let{phase:t,replay:n,why:r,since:i}=e;return t===`OVER`?Q(b,{children:[r,` Reload the page to connect again.`]}):i===null?t===`CATCHING_UP`?Q(b,{children:[`Back; `,Al(n?.count??0),` replayed so far …`]}):n?Q(b,{children:[`Caught up: `,Al(n.count),` replayed after `,yo(n.back-n.since),` away.`]}):Q(b,{children:r}):Q(Ol,{since:i,why:r,stopped:t===`STOPPED`})}function Ol({since:e,why:t,stopped:n}){let r=Math.max(0,Xs(wl)-e);return n?Q(b,{children:[`Stopped on purpose: back in `,Math.max(0,Math.ceil(Cl-r/wl)),` s.`]}):Q(b,{children:[t,`; away for `,yo(r),`, reconnecting …`]})}function kl(e,t){return t??`Reading the tasks, ${e.toLocaleString(`en`)} so far …`}function Al(e){return e===1?`1 event`:`${e} events`}var jl=6e4;function Ml({store:e,onSignOut:t}){let{navigation:n,person:r}=e;Ys(e),Ys(n);let{state:i,tasks:a}=e,{view:o}=n,{wanted:s}=o,[c,l]=V(null),[u,d]=V(!1),[f,p]=V(!1);H(()=>p(!0),[]);let m=W(null),h=Xs(jl),g=h-h%jl;ec(Yt(o)||c?.kind===`PANEL`,()=>e.isUnsaved),H(()=>void e.follow.find(s),[s,i.partial]);let{shown:_,totals:v,labels:y,progress:b,isManual:x}=Nl(e),S=ml(e,_),C=()=>l(null),w=e=>l({kind:`PANEL`,panel:e}),T=Pl(e)?()=>n.push(e=>({...e,task:null,creating:!0})):null,E=e=>{n.replace(t=>({...t,wanted:e(t.wanted)}))};cs({n:()=>T?.(),"/":()=>{d(!0),queueMicrotask(()=>m.current?.focus())},"?":()=>w(`SHORTCUTS`),z:()=>void e.write.undo()});let ee=(t,n)=>{a.get(t)?.viewerCanUpdateStatus?l({kind:`MENU`,id:t,anchor:n}):e.write.refuseMove()},D=(t,n)=>{let i=e.tasks.get(t);i&&e.place.step(Vt(Bt(e.tasks.values(),s),s,r.id)[i.status],t,n)},O=c?.kind===`MENU`?a.get(c.id):void 0;return Q(`div`,{class:`page`,children:[Q(As,{store:e,search:m,expanded:u,filtered:Rt(s),onPanel:w,onExpand:()=>d(e=>!e),onWanted:E,onNew:T,onSignOut:t}),Q(Ll,{totals:v}),Q(Il,{store:e}),Q(ls,{columns:_,totals:v,state:i,today:g,wanted:s,labels:y,progress:b,selected:S.selected,onSelect:S.select,onMove:(t,n,r,i)=>void(r?e.place.put(t,n,r,i):e.write.move(t,n)),onStep:(t,n)=>void e.write.step(t,n),onPlaceStep:x?D:null,onOpen:e=>n.push(t=>({...t,task:e,creating:!1})),onMenu:ee,onAdd:T&&((t,n)=>e.write.createIn(t,n)),accepts:(t,n)=>Fl(e.tasks.get(t),n,x),children:c?.kind===`MENU`&&O&&Q(js,{task:O,anchor:c.anchor,onClose:C,onMove:t=>void e.write.move(c.id,t),onStep:x?e=>D(c.id,e):null,isSelected:S.selected.has(c.id),onSelect:()=>S.select(c.id,!1)},c.id)}),Q(ll,{count:S.selected.size,onMove:S.move,onClear:S.clear}),Q(El,{store:e,onShortcuts:()=>w(`SHORTCUTS`)}),Q(Fc,{store:e,view:o}),c?.kind===`PANEL`&&Q(cl,{store:e,panel:c.panel,onClose:C}),i.question&&Q(ps,{question:i.question},i.question.id),Q(Ps,{store:e,covered:!f||o.task!==null||o.creating||c?.kind===`PANEL`})]})}function Nl(e){let{state:t,tasks:n,projectKey:r,person:{id:i},navigation:{view:{wanted:a}}}=e,o=G(()=>[...r===null?n.values():Bt(n.values(),a)],[n,r,a]),s=G(()=>Vt(o,a,i),[o,a,i]),c=G(()=>Rl(o),[o]),l=G(()=>Ga(n.values()),[n]);return{shown:s,labels:G(()=>new Map((t.project?.labels??[]).map(e=>[e.id,e])),[t.project]),totals:t.partial?t.totals:c,progress:t.partial?null:l,isManual:a.order===`RANK`}}function Pl({projectKey:e,person:t,state:{project:n,missing:r}}){return e===null||!r&&n!==null&&Yi(n,t.role===`ADMIN`)}function Fl(e,t,n){return e?.viewerCanUpdateStatus?e.status===t?n:Z(e.status,t):!1}function Il({store:e}){let{state:{partial:t,missing:n,project:r},projectKey:i,navigation:a}=e;if(n)return Q(`p`,{class:`partial`,role:`alert`,children:[`There is no project `,i,`, or you may not see it.`,` `,Q(`button`,{class:`quiet`,onClick:()=>a.push(()=>Xt(null)),children:`Show all tasks`})]});let{label:o}=a.view.wanted;return r&&o!==null&&!r.labels.some(({id:e})=>e===o)?Q(`p`,{class:`partial`,role:`alert`,children:[`The label that you filter by was deleted. `,Q(`button`,{class:`quiet`,onClick:()=>a.replace(e=>({...e,wanted:{...e.wanted,label:null}})),children:`Remove this filter`})]}):!t&&!r?.isArchived?null:Q(`p`,{class:`partial`,role:`note`,children:[r?.isArchived&&`This project is archived: its tasks can be read, but not changed. `,t&&`There are more tasks than the board can hold. It shows the ${3e3.toLocaleString(`en`)} that changed last.
        Search and filters find older ones, too.`]})}function Ll({totals:e}){let t=e=>document.querySelector(`[data-status=${e}]`)?.scrollIntoView();return Q(`nav`,{class:`tabs`,"aria-label":`Columns`,children:L.map(n=>Q(`button`,{onClick:()=>t(n),children:[Q(Xa,{status:n}),` `,Q(`span`,{class:`count`,children:e?.[n].toLocaleString(`en`)??`…`}),Q(`span`,{class:`name`,children:q[n]})]},n))})}function Rl(e){let t={TODO:0,IN_PROGRESS:0,DONE:0,CANCELLED:0};for(let{status:n}of e)t[n]++;return t}function zl({session:e,about:t,reason:n,username:r,unsaved:i}){ec(i,()=>!0);let{demo:a}=hs,{passwords:o,providers:s}=hs.signIn??{passwords:!0,providers:[]},{busy:c,problem:l,signIn:u}=Vl(e),d=W(null);return H(()=>d.current?.querySelector(r?`[name=password]`:`[name=username]`).focus(),[]),Q(`main`,{class:`sign-in`,children:[Q(`header`,{children:[Q(`h1`,{children:[Q(ms,{}),` Taskriver`]}),Q(`p`,{children:t})]}),n&&Q(`p`,{class:`note`,role:`status`,children:n}),s.length>0&&Q(Bl,{providers:s}),o&&Q(`form`,{ref:d,onSubmit:e=>{e.preventDefault();let t=new FormData(d.current);u(String(t.get(`username`)),String(t.get(`password`)))},"aria-label":`Sign in`,children:[Q(`label`,{children:[`Username`,Q(`input`,{name:`username`,defaultValue:r,autocomplete:`username`,autocapitalize:`none`,spellcheck:!1,required:!0})]}),Q(`label`,{children:[`Password`,Q(`input`,{name:`password`,type:`password`,autocomplete:`current-password`,required:!0})]}),Q(`p`,{class:`problem`,role:`alert`,children:l}),Q(`button`,{class:`primary`,"aria-disabled":c,children:c?`Signing in …`:`Sign in`})]}),a&&o&&Q(`section`,{"aria-labelledby":`demo`,children:[Q(`h2`,{id:`demo`,children:`Or sign in as a demo user`}),Q(`div`,{class:`demo`,children:a.names.map(e=>Q(`button`,{"aria-disabled":c,onClick:()=>void u(e,a.password),children:e},e))})]}),Q(gs,{class:`links`})]})}function Bl({providers:e}){let{pathname:t,search:n,hash:r}=location,i=new URLSearchParams({return_to:t+n+r}).toString();return Q(`ul`,{class:`providers`,"aria-label":`Sign-in providers`,children:e.map(({label:e,startPath:t})=>Q(`li`,{children:Q(`a`,{class:`button`,href:`${t}?${i}`,children:[`Continue with `,e]})},t))})}function Vl(e){let[t,n]=V(!1),[r,i]=V(``),a=W(!1);return{busy:t,problem:r,signIn:async(t,r)=>{a.current||(a.current=!0,n(!0),i(``),await e.signIn(t,r).catch(e=>i(e.message)),a.current=!1,n(!1))}}}function Hl({session:e,navigation:t}){Ys(e),Ys(t),H(()=>void e.resume().catch(()=>{}),[e]);let n=W(null),r=W(!1),{status:i,user:a,error:o}=e.state;if(a&&(n.current=a),i===`unknown`)return Q(`p`,{class:`splash`,role:`status`,children:o&&`${o.message} Trying again …`});if(!a){let i=r.current?null:n.current,a=!!i&&jn(i.id);return Q(zl,{session:e,about:`A live task board.`,reason:Ul(i,a,t),username:i?.username??``,unsaved:a})}let{project:s}=t.view;return Q(Wl,{project:s,session:e,navigation:t,person:a,onLeaving:e=>r.current=e},`${a.id} ${a.role} ${t.board}`)}function Ul(e,t,{view:n}){if(!e)return n.task===null?``:`Sign in to open the task.`;let r=`Your session has ended. It expired, or it was ended elsewhere, such as in another window.`;return t?`${r} Your unsaved changes are kept: sign in as ${e.username} to go on.`:r}function Wl({session:e,navigation:t,person:n,project:r,onLeaving:i}){let[a,o]=V(null),s=W(null),c=()=>{let i=s.current=new Wa(e,n,t,r);return o(i),i.follow.start(),i};H(()=>(i(!1),c(),()=>s.current?.end()),[]);let l=async n=>{i(!0),n.end(),o(null);try{await e.signOut(),n.forgetDrafts(),t.reset()}catch(e){i(!1),c().notice(`REFUSED`,`You are still signed in. ${e instanceof Error?e.message:String(e)}`)}};return a?Q(Ml,{store:a,onSignOut:()=>void l(a)}):Q(`p`,{class:`splash`,role:`status`,children:`…`})}N(Q(Hl,{session:it({url:`/graphql`}),navigation:new rn}),document.getElementById(`root`));